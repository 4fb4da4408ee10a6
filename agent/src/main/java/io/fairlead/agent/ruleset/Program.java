package io.fairlead.agent.ruleset;

import io.fairlead.core.model.Protocol;
import java.util.Locale;
import java.util.Optional;

/**
 * What the kernel does with a new connection to a frontend: one small chain. The dispatch map gives
 * a frontend the program's number, a small fixed verdict map turns the number into the chain. A
 * chain is never rewritten: another number of endpoints is another program. The chain's name says
 * everything about it, so the programs are read back without parsing rules.
 *
 * <p>Programs of their own (round robin, affinity) belong to one frontend each and carry an id that
 * no other has meanwhile.
 */
public sealed interface Program {
  /** Most programs of their own that one family can hold: the id is the low half of the number. */
  int MAX_OWN = 0xffff;

  /** Refused at once: nobody to send to. */
  record Reject() implements Program {}

  /** Silently dropped: endpoints exist, but not for this node. */
  record Drop() implements Program {}

  /** Each connection to any of the slots 0..slots-1. Shared by all frontends with as many. */
  record Random(int slots) implements Program {}

  /** By a hash of the client's address over a table of {@link Maglev#SIZE} slots. Shared by all. */
  record Hash() implements Program {}

  /** One slot after the other; counts in its own rule, so it belongs to one frontend. */
  record RoundRobin(int slots, Protocol protocol, int id) implements Program {}

  /**
   * Where the client went last, else by {@code choice}.
   *
   * @param timeoutSeconds since the client's last new connection
   * @param memory number of the map that remembers the clients; it stays when the rest changes
   */
  record Sticky(
      Choice choice, int slots, long timeoutSeconds, Protocol protocol, int memory, int id)
      implements Program {}

  /** How a slot is chosen. */
  enum Choice {
    RANDOM,
    ROUND_ROBIN,
    HASH
  }

  /** How many slots must be complete while a frontend is dispatched here. */
  default int slots() {
    return switch (this) {
      case Reject(), Drop() -> 0;
      case Random(int slots) -> slots;
      case Hash() -> Maglev.SIZE;
      case RoundRobin(int slots, _, _) -> slots;
      case Sticky sticky -> sticky.slots;
    };
  }

  /**
   * The number in the dispatch map, unique among the programs of one family; never 0, which means
   * no priority.
   */
  default int number() {
    return switch (this) {
      case Reject() -> 1;
      case Drop() -> 2;
      case Hash() -> 3;
      case Random(int slots) -> 1 << 16 | slots;
      case RoundRobin(_, _, int id) -> 2 << 16 | id;
      case Sticky sticky -> 2 << 16 | sticky.id;
    };
  }

  /** Name of the program's chain; {@link #parse} is the inverse. */
  default String chain() {
    return switch (this) {
      case Reject() -> "do_reject";
      case Drop() -> "do_drop";
      case Hash() -> "hash";
      case Random(int slots) -> "random_" + slots;
      case RoundRobin(int slots, Protocol protocol, int id) ->
          "robin_" + lower(protocol) + "_" + slots + "_" + id;
      case Sticky s ->
          "sticky_"
              + lower(s.protocol)
              + "_"
              + s.slots
              + "_"
              + s.id
              + "_"
              + s.memory
              + "_"
              + s.timeoutSeconds
              + "_"
              + letter(s.choice);
    };
  }

  /** Whether it belongs to one frontend and goes with it. */
  default boolean own() {
    return switch (this) {
      case Reject(), Drop(), Hash(), Random(_) -> false;
      case RoundRobin _, Sticky _ -> true;
    };
  }

  /** The program with that chain, or empty where no program has such a name. */
  static Optional<Program> parse(String chain) {
    var parts = chain.split("_", -1);
    try {
      Optional<Program> program =
          switch (parts[0]) {
            case "do" ->
                chain.equals("do_reject") ? Optional.of(new Reject()) : Optional.of(new Drop());
            case "hash" -> Optional.of(new Hash());
            case "random" -> Optional.of(new Random(Integer.parseInt(parts[1])));
            case "robin" ->
                Optional.of(
                    new RoundRobin(
                        Integer.parseInt(parts[2]),
                        protocol(parts[1]),
                        Integer.parseInt(parts[3])));
            case "sticky" ->
                Optional.of(
                    new Sticky(
                        choice(parts[6]),
                        Integer.parseInt(parts[2]),
                        Long.parseLong(parts[5]),
                        protocol(parts[1]),
                        Integer.parseInt(parts[4]),
                        Integer.parseInt(parts[3])));
            default -> Optional.empty();
          };
      return program.filter(p -> p.chain().equals(chain));
    } catch (IllegalArgumentException
        | ArrayIndexOutOfBoundsException _) { // a foreign name that begins like ours
      return Optional.empty();
    }
  }

  private static String lower(Protocol protocol) {
    return protocol.name().toLowerCase(Locale.ROOT);
  }

  private static Protocol protocol(String text) {
    return Protocol.valueOf(text.toUpperCase(Locale.ROOT));
  }

  private static String letter(Choice choice) {
    return switch (choice) {
      case RANDOM -> "r";
      case ROUND_ROBIN -> "i";
      case HASH -> "h";
    };
  }

  private static Choice choice(String letter) {
    return switch (letter) {
      case "r" -> Choice.RANDOM;
      case "i" -> Choice.ROUND_ROBIN;
      case "h" -> Choice.HASH;
      default -> throw new IllegalArgumentException(letter);
    };
  }
}
