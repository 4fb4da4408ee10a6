package io.fairlead.cli;

import io.fairlead.api.ErrorReport;
import io.fairlead.v1.LogsRequest;
import io.fairlead.v1.PodRuntimeGrpc;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code fairlead logs}. */
@Command(name = "logs", description = "Prints what a container of a pod has printed.")
final class LogsCommand implements Callable<Integer> {
  private static final long ALL = -1;

  @ParentCommand private Fairlead fairlead;
  @Mixin private PodProcess process;

  @Option(
      names = {"-f", "--follow"},
      description = "Goes on with what it prints, until it ends.")
  private boolean follow;

  @Option(
      names = {"-p", "--previous"},
      description = "Of the run before the last restart.")
  private boolean previous;

  @Option(
      names = "--tail",
      paramLabel = "lines",
      defaultValue = "-1",
      description = "Only that many of the last lines (default -1: all that is kept).")
  private long tail;

  @Override
  public Integer call() throws Exception {
    if (tail < ALL) {
      throw new UsageException("error: --tail must be greater than or equal to -1");
    }
    return process.connect(
        fairlead,
        "logs",
        (channel, target) -> {
          var request =
              LogsRequest.newBuilder()
                  .setNamespace(target.namespace())
                  .setPod(target.pod())
                  .setContainer(target.container())
                  .setFollow(follow)
                  .setPrevious(previous);
          if (tail != ALL) {
            request.setTailLines(tail);
          }
          return print(channel, request.build());
        });
  }

  private int print(ManagedChannel channel, LogsRequest request) throws IOException {
    var out = fairlead.console().out();
    boolean begun = false;
    try {
      var replies = PodRuntimeGrpc.newBlockingStub(channel).logs(request);
      while (replies.hasNext()) {
        replies.next().getData().writeTo(out);
        begun = true;
        out.flush();
        if (out.checkError()) {
          return 1; // nobody reads it any more, as in: logs -f POD | head
        }
      }
      return 0;
    } catch (StatusRuntimeException e) {
      if (begun && ErrorReport.of(e).isLostConnection()) {
        throw new CliException(
            "error: the connection was lost: what the container printed since then is missing here, and fairlead logs shows it");
      }
      throw e;
    }
  }
}
