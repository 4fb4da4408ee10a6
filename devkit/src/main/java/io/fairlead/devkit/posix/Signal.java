package io.fairlead.devkit.posix;

/** The signals that faults are made of; numbers as on Linux for every architecture Java runs on. */
public enum Signal {
  KILL(9),
  TERM(15),
  CONT(18),
  STOP(19);

  private final int number;

  Signal(int number) {
    this.number = number;
  }

  int number() {
    return number;
  }
}
