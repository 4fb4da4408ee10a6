package io.fairlead.standalone;

import java.io.IOException;

/** The training run of the command's start-up cache, see dev/build; not part of the command. */
final class Training {
  private Training() {}

  public static void main(String[] args) throws IOException {
    io.fairlead.cli.Training.run(Main.VERBS);
  }
}
