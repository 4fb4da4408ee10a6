package io.fairlead.cli;

import io.fairlead.runtime.GrpcChannels;
import io.fairlead.v1.LogsRequest;
import io.fairlead.v1.PodRuntimeGrpc;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code fairlead logs}. */
@Command(name = "logs", description = "Prints what a container of a pod has printed.")
final class LogsCommand implements Callable<Integer> {
  private static final long ALL = -1;

  @ParentCommand private Fairlead fairlead;

  @Parameters(arity = "1", paramLabel = "POD", description = "POD or pod/POD")
  private String pod;

  @Option(
      names = {"-c", "--container"},
      paramLabel = "name",
      defaultValue = "",
      description = "Container (default: the pod's first).")
  private String container;

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
  public Integer call() throws IOException {
    if (tail < ALL) {
      throw new CliException("error: --tail must be greater than or equal to -1");
    }
    var name = PodArgument.name(pod);
    var request =
        LogsRequest.newBuilder()
            .setNamespace(fairlead.namespace())
            .setPod(name)
            .setContainer(PodArgument.container(fairlead, name, container))
            .setFollow(follow)
            .setPrevious(previous);
    if (tail != ALL) {
      request.setTailLines(tail);
    }
    var addresses = fairlead.podRuntime();
    var out = fairlead.console().out();
    var channel = GrpcChannels.of(addresses, GrpcChannels.Spread.FIRST);
    try {
      var replies = PodRuntimeGrpc.newBlockingStub(channel).logs(request.build());
      while (replies.hasNext()) {
        replies.next().getData().writeTo(out);
        out.flush();
        if (out.checkError()) {
          return 1; // nobody reads it any more, as in: logs -f POD | head
        }
      }
    } catch (StatusRuntimeException e) {
      throw new CallFailedException(addresses, e);
    } finally {
      GrpcChannels.close(channel, Duration.ZERO);
    }
    return 0;
  }
}
