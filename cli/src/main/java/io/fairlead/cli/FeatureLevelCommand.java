package io.fairlead.cli;

import io.fairlead.api.table.TextTable;
import io.fairlead.api.table.TextTable.Heads;
import io.fairlead.v1.GetFeatureLevelRequest;
import io.fairlead.v1.LogFollower;
import io.fairlead.v1.RaiseFeatureLevelRequest;
import io.fairlead.v1.Result;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code fairlead feature-level}. */
@Command(
    name = "feature-level",
    description =
        "Shows which kinds of records the log may hold, and up to which level each replica supports them.",
    subcommands = FeatureLevelCommand.Raise.class)
final class FeatureLevelCommand implements Callable<Integer> {
  @ParentCommand private Fairlead fairlead;

  @Option(names = "--no-headers", description = "A table without its heads.")
  private boolean noHeaders;

  @Override
  public Integer call() {
    var console = fairlead.console();
    try (var session = fairlead.session()) {
      var reply =
          session.featureLevels(stub -> stub.get(GetFeatureLevelRequest.getDefaultInstance()));
      console.out().println("The log has feature level " + reply.getLevel());
      console
          .out()
          .print(
              new TextTable(
                      List.of("SERVICE", "REPLICA", "SUPPORTS"),
                      reply.getFollowersList().stream().map(FeatureLevelCommand::row).toList())
                  .text(noHeaders ? Heads.HIDDEN : Heads.SHOWN));
      if (!reply.getMissing().isEmpty()) {
        console.err().println("Some may be missing: " + reply.getMissing());
      }
      return 0;
    }
  }

  private static List<String> row(LogFollower follower) {
    return List.of(
        follower.getService(),
        follower.getReplica(),
        follower.getSupported() == 0 ? "<unknown>" : Integer.toString(follower.getSupported()));
  }

  /** {@code fairlead feature-level raise LEVEL}. */
  @Command(
      name = "raise",
      description =
          "Lets the log hold what needs a level, for good, if every replica that follows it supports that. It is never lowered: a replica of a version that does not support it cannot run any more.")
  static final class Raise implements Callable<Integer> {
    @ParentCommand private FeatureLevelCommand parent;

    @Parameters(paramLabel = "LEVEL", description = "The level, e.g. 2.")
    private int level;

    @Override
    public Integer call() {
      try (var session = parent.fairlead.session()) {
        var request =
            RaiseFeatureLevelRequest.newBuilder()
                .setRequestId(session.requestId())
                .setLevel(level)
                .build();
        var reply = session.featureLevels(stub -> stub.raise(request));
        parent
            .fairlead
            .console()
            .out()
            .println(
                "The log has feature level %d%s"
                    .formatted(
                        reply.getLevel(),
                        reply.getResult() == Result.UNCHANGED ? " already" : " now"));
        return 0;
      }
    }
  }
}
