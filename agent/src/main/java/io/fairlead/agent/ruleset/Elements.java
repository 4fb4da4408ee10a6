package io.fairlead.agent.ruleset;

import io.fairlead.agent.ruleset.Command.ElementKey;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.view.NodeRules.Frontend;
import io.fairlead.core.view.NodeRules.Target;
import java.util.Locale;
import java.util.Optional;

/** Names of the sets and maps, and the one spelling of keys and values in them. */
public final class Elements {
  public static final String POSITION = "log_position";
  public static final String VIPS = "vips";
  public static final String SERVICE_CIDRS = "service_cidrs";
  public static final String CLUSTER_CIDRS = "cluster_cidrs";
  public static final String HAIRPIN = "hairpin";
  public static final String PROGRAMS = "programs";

  private static final String AFFINITY = "affinity_";

  private Elements() {}

  /** VIP . port -> number of a {@link Program}. */
  public static String services(Protocol protocol) {
    return "services_" + lower(protocol);
  }

  /** VIP . port . slot -> address . port. */
  public static String endpoints(Protocol protocol) {
    return "endpoints_" + lower(protocol);
  }

  /** VIP . port . slot -> id of an endpoint; of frontends with affinity. */
  public static String choices(Protocol protocol) {
    return "choices_" + lower(protocol);
  }

  /** VIP . port . id of an endpoint -> address . port; of frontends with affinity. */
  public static String ids(Protocol protocol) {
    return "ids_" + lower(protocol);
  }

  /** Client -> id of an endpoint; filled by the kernel. */
  public static String affinity(int memory) {
    return AFFINITY + memory;
  }

  /** Whether that is a map that the kernel fills. */
  public static boolean isAffinity(String set) {
    return set.startsWith(AFFINITY);
  }

  static String lower(Protocol protocol) {
    return protocol.name().toLowerCase(Locale.ROOT);
  }

  static ElementKey service(Frontend frontend) {
    return new ElementKey(services(frontend.protocol()), frontend.vip() + " . " + frontend.port());
  }

  static ElementKey endpoint(Frontend frontend, int slot) {
    return new ElementKey(
        endpoints(frontend.protocol()), frontend.vip() + " . " + frontend.port() + " . " + slot);
  }

  static ElementKey choice(Frontend frontend, int slot) {
    return new ElementKey(
        choices(frontend.protocol()), frontend.vip() + " . " + frontend.port() + " . " + slot);
  }

  static ElementKey id(Frontend frontend, int id) {
    return new ElementKey(
        ids(frontend.protocol()), frontend.vip() + " . " + frontend.port() + " . " + number(id));
  }

  static ElementKey vip(Address vip) {
    return new ElementKey(VIPS, vip.toString());
  }

  static ElementKey hairpin(Address address) {
    return new ElementKey(HAIRPIN, address + " . " + address);
  }

  static ElementKey program(Program program) {
    return new ElementKey(PROGRAMS, number(program.number()));
  }

  static String verdict(Program program) {
    return "goto " + program.chain();
  }

  static ElementKey cidr(String set, Cidr cidr) {
    return new ElementKey(set, cidr.toString());
  }

  /**
   * An unsigned number as nft spells values of {@code meta priority}: two halves in hexadecimal.
   */
  public static String number(int number) {
    return Integer.toHexString(number >>> 16) + ":" + Integer.toHexString(number & 0xffff);
  }

  /**
   * The inverse of {@link #number}, which also takes the words that nft prints for the lowest and
   * highest; or empty.
   */
  public static Optional<Integer> parseNumber(String text) {
    if (text.equals("none")) {
      return Optional.of(0);
    }
    if (text.equals("root")) {
      return Optional.of(-1);
    }
    return text.matches("[0-9a-f]{1,4}:[0-9a-f]{1,4}")
        ? Optional.of(
            Integer.parseInt(text.substring(0, text.indexOf(':')), 16) << 16
                | Integer.parseInt(text.substring(text.indexOf(':') + 1), 16))
        : Optional.empty();
  }

  static String target(Target target) {
    return target.address() + " . " + target.port();
  }

  static Optional<Target> parseTarget(String text) {
    int dot = text.indexOf(" . ");
    var port = dot < 0 ? "" : text.substring(dot + 3);
    return !port.isEmpty() && port.length() <= 5 && port.chars().allMatch(Character::isDigit)
        ? Address.parse(text.substring(0, dot))
            .map(address -> new Target(address, Integer.parseInt(port)))
        : Optional.empty();
  }
}
