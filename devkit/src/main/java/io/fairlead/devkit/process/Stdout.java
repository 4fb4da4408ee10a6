package io.fairlead.devkit.process;

/** Where a child's standard output goes; its standard error always goes to its log file. */
public enum Stdout {
  LOG,
  /** To this process, which must read {@link ChildProcess#process()}'s stream. */
  PIPE
}
