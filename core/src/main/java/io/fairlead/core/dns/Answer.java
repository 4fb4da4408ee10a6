package io.fairlead.core.dns;

import java.util.List;
import java.util.Optional;

/** What a zone says to a question. */
public sealed interface Answer {
  /** No zone here contains the name. */
  record NotServed() implements Answer {}

  /**
   * A zone here contains the name.
   *
   * @param outcome what became of it
   * @param records the answer, CNAMEs first in the order of the chain
   * @param authority the zone's SOA; present for negative answers (RFC 2308)
   * @param unresolved name of another zone a chain of CNAMEs leads to, to be resolved elsewhere
   */
  record Served(
      Outcome outcome,
      List<ResourceRecord> records,
      Optional<ResourceRecord> authority,
      Optional<String> unresolved)
      implements Answer {
    public Served {
      records = List.copyOf(records);
    }
  }

  /** NO_DATA: the name, or one below it, exists. NAME_ERROR: neither does (RFC 8020). */
  enum Outcome {
    FOUND,
    NO_DATA,
    NAME_ERROR
  }
}
