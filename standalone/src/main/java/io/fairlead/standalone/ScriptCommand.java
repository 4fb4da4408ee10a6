package io.fairlead.standalone;

import io.fairlead.cli.CliException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * The verbs that the script {@code ./fairlead} does itself, where they are its first word. Here for
 * help and completion.
 */
abstract class ScriptCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  /**
   * @throws CliException always
   */
  @Override
  public Integer call() {
    var verb = spec.name();
    throw new CliException(
        "error: %s needs the sources: run ./fairlead %s in a checkout, with %s as the first word"
            .formatted(verb, verb, verb));
  }

  /** {@code fairlead test}. */
  @Command(
      name = "test",
      description =
          "Builds, checks and tests everything, in a checkout. Its last line counts the tests; one that failed or was skipped makes it end with 1.")
  static final class TestVerb extends ScriptCommand {
    @Option(names = "--long", description = "Also the suite long: fault runs of many minutes.")
    @SuppressWarnings("UnusedVariable") // the script reads it
    private boolean withLong;

    @Option(
        names = "--suite",
        paramLabel = "fast|slow|kernel|docker|long",
        description = "Only this suite; may be given several times.")
    @SuppressWarnings("UnusedVariable")
    private String[] suites;
  }

  /** {@code fairlead bench}. */
  @Command(
      name = "bench",
      description = "Runs a benchmark, in a checkout; as root, for most. See docs/benchmarks.md.")
  static final class BenchVerb extends ScriptCommand {
    @Parameters(
        arity = "1",
        paramLabel = "NAME",
        description = "Which; a wrong name lists them, with their options.")
    @SuppressWarnings("UnusedVariable")
    private String name;

    @Option(names = "--json", description = "One object a line instead of a table.")
    @SuppressWarnings("UnusedVariable")
    private boolean json;
  }
}
