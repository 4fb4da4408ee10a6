package io.fairlead.decider;

import io.fairlead.core.model.Address;
import java.util.Optional;

/** What the tests' small service is asked for. */
sealed interface ShopCommand {
  /** A Service with an address of its own choice, that one, or none at all. */
  record Create(String name, Vip vip) implements ShopCommand {}

  record Delete(String name) implements ShopCommand {}

  /** Gives an existing Service that address, or none; its uid stays. */
  record Readdress(String name, Vip vip) implements ShopCommand {}

  /** A Service with an address and an annotation of that many bytes. */
  record Bulky(String name, int bytes) implements ShopCommand {}

  /** Lets the log hold what needs that level. */
  record Raise(int level) implements ShopCommand {}

  record Find(String name) implements ShopCommand {}

  /** A bug in the logic. */
  record Explode() implements ShopCommand {}

  /** A bug in the logic that only the log notices: a record of another partition. */
  record Misplace(String name) implements ShopCommand {}

  sealed interface Vip {
    record Any() implements Vip {}

    record Of(Address address) implements Vip {}

    record None() implements Vip {}
  }

  static Create any(String name) {
    return new Create(name, new Vip.Any());
  }

  static Create at(String name, String address) {
    return new Create(name, new Vip.Of(Address.of(address)));
  }

  static Create headless(String name) {
    return new Create(name, new Vip.None());
  }

  /**
   * What the small service answers.
   *
   * @param what created, readdressed, deleted, found, not found, name taken, or address taken
   * @param version of the record; 0 where there is none
   */
  record Reply(String what, String name, Optional<Address> address, long version) {
    static Reply of(String what, String name) {
      return new Reply(what, name, Optional.empty(), 0);
    }
  }
}
