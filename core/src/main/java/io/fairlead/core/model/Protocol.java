package io.fairlead.core.model;

/** Transport protocol of a port; the constant names are the text forms. */
public enum Protocol {
  TCP,
  UDP,
  SCTP
}
