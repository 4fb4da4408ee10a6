package io.fairlead.cli;

/** Of a subcommand of {@code node} that another module brings. */
public interface NodeVerb {}
