package io.fairlead.agent.nft;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.fairlead.agent.nft.Foreign.CallFailed;
import io.fairlead.agent.ruleset.Command;
import io.fairlead.agent.ruleset.CommandText;
import io.fairlead.agent.ruleset.Elements;
import io.fairlead.agent.ruleset.Layout;
import io.fairlead.agent.ruleset.TableContents;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.Family;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.IntFunction;

/**
 * nf_tables by its own messages: what a change takes, in a hundredth of the time that a library
 * takes to read sentences about it; and what a table holds, without a copy of it in the library's
 * memory. Confined to the thread that made it, whose network namespace it works in.
 */
final class NetlinkNft implements AutoCloseable {
  private static final int NETLINK_NETFILTER = 12;
  private static final short GET_GENERATION = 10 << 8 | 16; // NFNL_SUBSYS_NFTABLES, NFT_MSG_GETGEN
  private static final int NLMSG_ERROR = 2;
  private static final int NLMSG_DONE = 3;
  private static final short INTERRUPTED = 0x10;
  private static final int ENOENT = 2;
  private static final int RECEIVE = 64 * 1024;

  /** More than the largest transaction that is planned. */
  private static final int SEND = 16 << 20;

  /** About what its refusals take, one for each of its commands. */
  private static final int REFUSALS = 16 << 20;

  /** Others' transactions spoil a reading of one list; it is short. */
  private static final int READINGS = 50;

  private final Arena arena = Arena.ofConfined();
  private final Foreign foreign;
  private final MemorySegment answer;
  private int socket;
  private int sequence;

  private NetlinkNft(Foreign foreign, int socket) {
    this.foreign = foreign;
    this.socket = socket;
    this.answer = arena.allocate(RECEIVE, 8);
  }

  /** For the calling thread. */
  static NetlinkNft open(Foreign foreign) throws CallFailed {
    return new NetlinkNft(foreign, socket(foreign));
  }

  private static int socket(Foreign foreign) throws CallFailed {
    int socket = foreign.netlink(NETLINK_NETFILTER);
    try {
      foreign.withoutEcho(socket);
      foreign.sendBuffer(socket, SEND);
      foreign.receiveBuffer(socket, REFUSALS);
    } catch (CallFailed _) {
      // large transactions are refused, then, and go the other way; refusals may be lost, and are
      // told as IN_DOUBT
    }
    return socket;
  }

  /** After what left the old one with answers that nobody waits for, or full of them. */
  private void renew() {
    try {
      int fresh = socket(foreign);
      foreign.close(socket);
      socket = fresh;
    } catch (CallFailed _) {
      // the old one, then: answers to what was asked before are told by their numbers
    }
  }

  /** What became of a transaction. */
  enum Committed {
    DONE,
    /** The kernel refused it: nothing of it was done. Without words. */
    REFUSED,
    /** The answer was lost: it was done whole, or not at all. */
    IN_DOUBT,
    /** It has commands that are not known here; nothing was tried. */
    UNKNOWN
  }

  /** Does all of the commands in one transaction, or none of them. */
  Committed commit(Layout layout, List<Command> commands) {
    var batch = NftMessages.batch(layout, commands, sequence + 1);
    if (batch.isEmpty()) {
      return Committed.UNKNOWN;
    }
    sequence = batch.get().last() + 1;
    try {
      send(batch.get().bytes());
    } catch (CallFailed _) {
      return Committed.REFUSED; // it never left
    }
    // All answers are there when the call that sent it returns; refusals come before the last one.
    boolean refused = false;
    boolean last = true; // whether there is a last one for sure
    while (true) {
      int length;
      try {
        length = last ? foreign.receive(socket, answer) : foreign.receiveNow(socket, answer);
      } catch (CallFailed e) {
        if (last && e.errno() == Foreign.ENOBUFS) { // it holds the first of many refusals
          last = false;
          continue;
        }
        renew();
        return refused ? Committed.REFUSED : Committed.IN_DOUBT;
      }
      for (int at = 0; at + 16 <= length; at += step(at)) {
        int number = answer.get(JAVA_INT, at + 8);
        boolean ours = number >= batch.get().first() && number <= batch.get().last() + 1;
        if (!ours || Short.toUnsignedInt(answer.get(JAVA_SHORT, at + 4)) != NLMSG_ERROR) {
          continue;
        }
        boolean error = answer.get(JAVA_INT, at + 16) != 0;
        refused |= error;
        if (number == batch.get().last()) {
          return refused ? Committed.REFUSED : Committed.DONE;
        }
        last &= !(error && number == batch.get().first()); // of the whole, often without another
      }
    }
  }

  private int step(int at) {
    return Math.max(16, (answer.get(JAVA_INT, at) + 3) / 4 * 4);
  }

  private void send(ByteBuffer message) throws CallFailed {
    try (var call = Arena.ofConfined()) {
      var segment = call.allocate(message.remaining(), 8);
      segment.copyFrom(MemorySegment.ofBuffer(message));
      foreign.send(socket, segment);
    }
  }

  /**
   * Everything in our table of that family; empty where there is none. Each list in it is of one
   * moment; where somebody else changes our table meanwhile, not all of them are of the same.
   *
   * @throws GatewayException KNOWN_FAILED: the kernel does not answer, or the tables change all the
   *     time
   */
  Optional<TableContents> read(Layout layout) {
    try {
      for (int i = 0; i < READINGS; i++) {
        var reading = new Reading(layout.family());
        boolean there = reading.all();
        if (reading.whole) {
          return there
              ? Optional.of(new TableContents(reading.chains, reading.sets))
              : Optional.empty();
        }
      }
    } catch (CallFailed e) {
      renew();
      throw new GatewayException(
          Outcome.KNOWN_FAILED, "nftables cannot be read: " + e.getMessage(), e);
    }
    throw changing();
  }

  /**
   * The same, all of one moment: for who does not write the table himself. On a host whose tables
   * change often it may fail for that.
   */
  Optional<TableContents> readAtOnce(Layout layout) {
    for (int i = 0; i < READINGS; i++) {
      var before = generation();
      var contents = read(layout);
      if (generation().equals(before)) {
        return contents;
      }
    }
    throw changing();
  }

  private static GatewayException changing() {
    return new GatewayException(
        Outcome.KNOWN_FAILED,
        "something changes nftables so often that they cannot be read: " + READINGS + " tries");
  }

  /** One set or map, without the rest; the table must exist. */
  TableContents readMap(Layout layout, String map) {
    try {
      for (int i = 0; i < READINGS; i++) {
        var reading = new Reading(layout.family());
        reading.elements(map);
        if (reading.whole) {
          return new TableContents(Map.of(), reading.sets);
        }
      }
    } catch (CallFailed e) {
      renew();
      throw new GatewayException(
          Outcome.KNOWN_FAILED, "map " + map + " cannot be read: " + e.getMessage(), e);
    }
    throw new GatewayException(
        Outcome.KNOWN_FAILED, "map " + map + " changes so often that it cannot be read");
  }

  /** As {@link NftGateway#generation}. */
  OptionalLong generation() {
    var found = new long[] {-1};
    try (var call = Arena.ofConfined()) {
      var request = call.allocate(20, 4);
      request.set(JAVA_INT, 0, 20);
      request.set(JAVA_SHORT, 4, GET_GENERATION);
      request.set(JAVA_SHORT, 6, (short) 1); // NLM_F_REQUEST
      request.set(JAVA_INT, 8, ++sequence);
      foreign.send(socket, request);
      int length = foreign.receive(socket, answer);
      while (length >= 20 && answer.get(JAVA_INT, 8) != sequence) {
        length = foreign.receive(socket, answer); // after a late answer to an earlier question
      }
      attributes(
          20,
          length,
          (type, value) -> {
            if (type == 1) { // NFTA_GEN_ID
              found[0] = Integer.toUnsignedLong(value.order(ByteOrder.BIG_ENDIAN).getInt());
            }
          });
    } catch (CallFailed _) { // the caller only loses a shortcut
      return OptionalLong.empty();
    }
    return found[0] < 0 ? OptionalLong.empty() : OptionalLong.of(found[0]);
  }

  /** Told of an attribute; its value ends where the buffer does. */
  @FunctionalInterface
  private interface Attribute {
    void found(int type, ByteBuffer value);
  }

  private void attributes(int from, int to, Attribute attribute) {
    attributes(
        answer.asSlice(from, Math.max(0, to - from)).asByteBuffer().order(ByteOrder.nativeOrder()),
        attribute);
  }

  private static void attributes(ByteBuffer in, Attribute attribute) {
    while (in.remaining() >= 4) {
      int start = in.position();
      int length = Math.max(4, Short.toUnsignedInt(in.getShort(start)));
      int type = in.getShort(start + 2) & 0x3fff; // without the marks "nested" and "network order"
      int end = Math.min(start + length, in.limit());
      attribute.found(type, in.slice(start + 4, end - start - 4).order(ByteOrder.nativeOrder()));
      in.position(Math.min(start + (length + 3) / 4 * 4, in.limit()));
    }
  }

  private static String text(ByteBuffer value) {
    var bytes = new byte[Math.max(0, value.remaining() - 1)]; // without the zero at its end
    value.get(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /** What one reading gathers. */
  private final class Reading {
    private final Family family;
    private final Map<String, List<String>> chains = new LinkedHashMap<>();
    private final Map<String, Map<String, Optional<String>>> sets = new LinkedHashMap<>();
    private boolean whole = true; // nothing went meanwhile

    Reading(Family family) {
      this.family = family;
    }

    /** Whether there is a table. */
    boolean all() throws CallFailed {
      if (!exists()) {
        return false;
      }
      var names = new ArrayList<String>();
      dump(
          number -> NftMessages.dump(family, NftMessages.GET_SET, number),
          names::clear,
          message -> named(message, 2).ifPresent(names::add));
      dump(
          number -> NftMessages.dump(family, NftMessages.GET_CHAIN, number),
          chains::clear,
          message -> named(message, 3).ifPresent(name -> chains.put(name, new ArrayList<>())));
      dump(
          number -> NftMessages.dump(family, NftMessages.GET_RULE, number),
          () -> chains.values().forEach(List::clear),
          this::rule);
      for (var name : names) {
        elements(name);
      }
      return true;
    }

    private boolean exists() throws CallFailed {
      int number = ++sequence;
      NetlinkNft.this.send(NftMessages.table(family, number));
      while (true) {
        int length = foreign.receive(socket, answer);
        if (length < 20 || answer.get(JAVA_INT, 8) != number) {
          continue;
        }
        if (Short.toUnsignedInt(answer.get(JAVA_SHORT, 4)) != NLMSG_ERROR) {
          return true;
        }
        int errno = -answer.get(JAVA_INT, 16);
        if (errno != ENOENT) {
          throw new CallFailed("table", errno);
        }
        return false;
      }
    }

    /**
     * Has a list told, again where somebody's transaction came into it.
     *
     * @param request by its number
     * @param forget what was told of it
     * @throws GatewayException KNOWN_FAILED: that happens all the time
     */
    private void dump(
        IntFunction<ByteBuffer> request, Runnable forget, Consumer<? super ByteBuffer> message)
        throws CallFailed {
      for (int i = 0; i < READINGS; i++) {
        if (tell(request.apply(++sequence), message)) {
          return;
        }
        forget.run();
      }
      throw changing();
    }

    /** Whether it is of one moment. */
    private boolean tell(ByteBuffer request, Consumer<? super ByteBuffer> message)
        throws CallFailed {
      int number = sequence;
      boolean ofOneMoment = true;
      NetlinkNft.this.send(request);
      while (true) {
        int length = foreign.receive(socket, answer);
        for (int at = 0; at + 16 <= length; at += step(at)) {
          if (answer.get(JAVA_INT, at + 8) != number) {
            continue;
          }
          if ((answer.get(JAVA_SHORT, at + 6) & INTERRUPTED) != 0) {
            ofOneMoment = false;
          }
          switch (Short.toUnsignedInt(answer.get(JAVA_SHORT, at + 4))) {
            case NLMSG_DONE, NLMSG_ERROR -> { // both say why it ends there
              int errno = -answer.get(JAVA_INT, at + 16);
              if (errno == ENOENT) {
                whole = false; // it went meanwhile
              } else if (errno != 0) {
                throw new CallFailed("dump", errno);
              }
              return ofOneMoment;
            }
            default ->
                message.accept(
                    answer
                        .asSlice(
                            at + (long) NftMessages.HEADER,
                            Math.max(0, answer.get(JAVA_INT, at) - NftMessages.HEADER))
                        .asByteBuffer()
                        .order(ByteOrder.nativeOrder()));
          }
        }
      }
    }

    /** What has that attribute for its name, if it is of our table. */
    private Optional<String> named(ByteBuffer message, int attribute) {
      var table = new String[] {"", ""};
      attributes(
          message,
          (type, value) -> {
            if (type == 1) {
              table[0] = text(value);
            } else if (type == attribute) {
              table[1] = text(value);
            }
          });
      return table[0].equals(CommandText.TABLE) ? Optional.of(table[1]) : Optional.empty();
    }

    private void rule(ByteBuffer message) {
      var found = new String[] {"", "", ""};
      attributes(
          message,
          (type, value) -> {
            switch (type) {
              case 1 -> found[0] = text(value);
              case 2 -> found[1] = text(value);
              case 7 -> found[2] = comment(value);
              default -> {}
            }
          });
      if (found[0].equals(CommandText.TABLE)) {
        chains.computeIfAbsent(found[1], _ -> new ArrayList<>()).add(found[2]);
      }
    }

    /** A fingerprint of ours among what a program noted at a rule; "" where there is none. */
    private static String comment(ByteBuffer notes) {
      while (notes.remaining() >= 2) {
        int type = notes.get();
        var value = new byte[Math.min(notes.get() & 0xff, notes.remaining())];
        notes.get(value);
        if (type == 0 && value.length == 9) { // NFTNL_UDATA_RULE_COMMENT, with a zero at its end
          var text = new String(value, 0, 8, StandardCharsets.US_ASCII);
          return text.matches("[0-9a-f]{8}") ? text : "";
        }
      }
      return "";
    }

    private void elements(String set) throws CallFailed {
      var elements = new HashMap<String, Optional<String>>();
      sets.put(set, elements);
      if (Elements.isAffinity(set)) {
        return;
      }
      var format = ElementFormat.of(set);
      var bounds = new ArrayList<Bound>();
      dump(
          number -> NftMessages.elements(family, set, number),
          () -> {
            elements.clear();
            bounds.clear();
          },
          message ->
              attributes(
                  message,
                  (type, list) -> {
                    if (type == 3) {
                      attributes(
                          list,
                          (_, element) -> {
                            if (format.isPresent()) {
                              element(format.get(), element, elements);
                            } else {
                              bound(element).ifPresent(bounds::add);
                            }
                          });
                    }
                  }));
      blocks(bounds).forEach(block -> elements.put(block, Optional.empty()));
    }

    private void element(
        ElementFormat format, ByteBuffer element, Map<String, Optional<String>> elements) {
      var found = new String[] {"", ""};
      attributes(
          element,
          (type, nested) -> {
            switch (type) {
              case 1 -> attributes(nested, (_, value) -> found[0] = format.readKey(value, family));
              case 2 ->
                  attributes(
                      nested,
                      (kind, value) ->
                          found[1] = kind == 2 ? verdict(value) : format.readValue(value, family));
              default -> {}
            }
          });
      elements.put(found[0], found[1].isEmpty() ? Optional.empty() : Optional.of(found[1]));
    }

    private static String verdict(ByteBuffer nested) {
      var words = new String[] {"", ""};
      attributes(
          nested,
          (type, value) -> {
            if (type == 1) {
              int code = value.order(ByteOrder.BIG_ENDIAN).getInt();
              words[0] = code == -4 ? "goto " : "verdict " + code + " ";
            } else if (type == 2) {
              words[1] = text(value);
            }
          });
      return (words[0] + words[1]).strip();
    }

    /** Where a block begins, or the first address behind one. */
    private record Bound(Address address, boolean behind) {}

    private static Optional<Bound> bound(ByteBuffer element) {
      var address = new byte[][] {{}};
      var flags = new int[1];
      attributes(
          element,
          (type, nested) -> {
            switch (type) {
              case 1 ->
                  attributes(
                      nested,
                      (_, value) -> {
                        address[0] = new byte[value.remaining()];
                        value.get(address[0]);
                      });
              case 3 -> flags[0] = nested.order(ByteOrder.BIG_ENDIAN).getInt();
              default -> {}
            }
          });
      int length = address[0].length;
      return length == 4 || length == 16
          ? Optional.of(new Bound(Address.ofBytes(address[0]), (flags[0] & 1) != 0))
          : Optional.empty();
    }

    private static List<String> blocks(List<Bound> bounds) {
      var begins = new TreeMap<Address, Boolean>();
      var ends = new TreeMap<Address, Boolean>();
      bounds.forEach(bound -> (bound.behind() ? ends : begins).put(bound.address(), true));
      var blocks = new ArrayList<String>();
      for (var first : begins.keySet()) {
        var end = Optional.ofNullable(ends.higherKey(first));
        var size =
            end.map(Address::value)
                .orElseGet(() -> BigInteger.ONE.shiftLeft(first.family().bits()))
                .subtract(first.value());
        int prefix = first.family().bits() - size.getLowestSetBit();
        boolean block = size.bitCount() == 1 && first.value().mod(size).signum() == 0;
        blocks.add(
            block
                ? new Cidr(first, prefix).toString()
                : first + "-" + end.map(Address::toString).orElse(""));
      }
      return blocks;
    }
  }

  @Override
  public void close() {
    foreign.close(socket);
    arena.close();
  }
}
