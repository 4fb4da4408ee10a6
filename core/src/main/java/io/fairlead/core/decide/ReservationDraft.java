package io.fairlead.core.decide;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * A reservation as somebody asks for it, unchecked.
 *
 * @param addresses as text; none where any will do
 * @param any empty where addresses are named
 * @param tokenHash SHA-256 of the token, in hexadecimal
 */
public record ReservationDraft(
    String holderNamespace,
    String holderName,
    List<String> addresses,
    Optional<AnyStatic> any,
    Optional<Duration> ttl,
    String tokenHash) {
  /** So many free ones of the static bands; family "" = that of the first range. */
  public record AnyStatic(int count, String family) {}

  public ReservationDraft {
    addresses = List.copyOf(addresses);
  }
}
