package io.fairlead.cli;

/** Commands that go on until they are interrupted: that is how they end, hence no error. */
final class Interrupts {
  private Interrupts() {}

  /** Runs it; when the process is told to end meanwhile, it ends with exit code 0. */
  static void endingWell(Console console, Runnable body) {
    var hook =
        Thread.ofPlatform()
            .name("ending")
            .unstarted(() -> {
              console.out().flush();
              Runtime.getRuntime().halt(0); // instead of 128 + the signal's number
            });
    Runtime.getRuntime().addShutdownHook(hook);
    try {
      body.run();
    } finally {
      try {
        Runtime.getRuntime().removeShutdownHook(hook);
      } catch (IllegalStateException _) {
        // the process is ending: the hook does what is left
      }
    }
  }
}
