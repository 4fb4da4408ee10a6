package io.fairlead.cli;

import io.fairlead.cli.ObjectsReader.Then;
import io.fairlead.v1.DrainPodReply;
import io.fairlead.v1.DrainPodRequest;
import io.fairlead.v1.MarkDrainingRequest;
import io.fairlead.v1.PodsGrpc;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code fairlead drain}. */
@Command(
    name = "drain",
    description =
        "Sends no new connections to a pod any more, and waits, at most for --timeout, until no live node does: SAFE. Then it may be ended. What is connected stays connected.",
    exitCodeList = {
      "0:SAFE, or with --undo done",
      "1:refused, not found or unreachable",
      "2:wrong usage, nothing was done",
      "3:SAFE_EXCEPT, nobody knows of the nodes that are lost",
      "4:LAST_ENDPOINT, a service has no other endpoint",
      "5:NOT_SAFE, the time is over"
    })
final class DrainCommand implements Callable<Integer> {
  static final int SAFE_EXCEPT = 3;
  static final int LAST_ENDPOINT = 4;
  static final int NOT_SAFE = 5;

  /** Says nothing of progress before: mostly it is over by then. */
  private static final Duration PATIENCE = Duration.ofSeconds(1);

  /** For the last answer to arrive. */
  private static final Duration LAST = Duration.ofSeconds(5);

  @ParentCommand private Fairlead fairlead;

  @Parameters(arity = "1..2", paramLabel = "pod NAME", description = "pod NAME or pod/NAME")
  private List<String> arguments;

  @Option(
      names = "--undo",
      description = "Takes the mark away: the pod gets new connections again, if it is ready.")
  private boolean undo;

  @Override
  public Integer call() {
    var name = name();
    var title = "pod/" + name;
    var console = fairlead.console();
    try (var session = fairlead.session()) {
      if (undo) {
        var request =
            MarkDrainingRequest.newBuilder()
                .setRequestId(session.requestId())
                .setNamespace(fairlead.namespace())
                .setName(name)
                .build();
        var _ = session.pods(stub -> stub.markDraining(request));
        console.out().println(title + " not drained any more");
        return 0;
      }
      return drain(session, name, title, console);
    }
  }

  private String name() {
    var selections = Selection.of(arguments);
    if (selections.size() != 1
        || selections.getFirst().names().size() != 1
        || !(selections.getFirst().resource() instanceof PodResource)) {
      throw new UsageException("error: one pod is drained at a time: fairlead drain pod NAME");
    }
    return selections.getFirst().names().getFirst();
  }

  private int drain(Session session, String name, String title, Console console) {
    var request =
        DrainPodRequest.newBuilder()
            .setRequestId(session.requestId())
            .setNamespace(fairlead.namespace())
            .setName(name);
    var reader = new Reader(session, title, console);
    session.read(
        Session.Part.ENDPOINTS,
        PodsGrpc::newBlockingStub,
        stub -> {
          var left = reader.left();
          return stub.withDeadlineAfter(left.plus(LAST).toNanos(), TimeUnit.NANOSECONDS)
              .drain(request.setTimeout(AppliedWait.proto(left)).build());
        },
        () -> {},
        reader::read);
    return reader.code();
  }

  /** Says what the server tells. */
  private static final class Reader {
    private final Session session;
    private final String title;
    private final Console console;
    private final long startNanos;
    private String said = "";
    private OptionalLong firstNanos = OptionalLong.empty();
    private Optional<DrainPodReply> last = Optional.empty();

    Reader(Session session, String title, Console console) {
      this.session = session;
      this.title = title;
      this.console = console;
      this.startNanos = session.time().nanoTime();
    }

    private Duration passed() {
      return Duration.ofNanos(session.time().nanoTime() - startNanos);
    }

    Duration left() {
      var left = session.settings().timeout().minus(passed());
      return left.isNegative() ? Duration.ZERO : left;
    }

    Then read(DrainPodReply reply) {
      if (reply.getDone()) {
        last = Optional.of(reply);
        return Then.ENOUGH;
      }
      long now = session.time().nanoTime();
      if (firstNanos.isEmpty()) { // connecting takes its time, too, and is nothing to tell of
        firstNanos = OptionalLong.of(now);
      }
      if (now - firstNanos.getAsLong() >= PATIENCE.toNanos()) {
        var words =
            "%s: %d of %d nodes send nothing there any more; %s"
                .formatted(title, reply.getClear(), reply.getNodes(), reply.getMessage());
        if (!words.equals(said)) {
          console.err().println(words);
          said = words;
        }
      }
      return Then.MORE;
    }

    int code() {
      if (last.isEmpty()) {
        throw new CliException("error: the server ended its answer before it was complete");
      }
      var reply = last.get();
      var lost = String.join(", ", reply.getLostList());
      return switch (reply.getVerdict()) {
        case SAFE -> {
          console.out().println(title + " SAFE: " + reply.getMessage());
          yield 0;
        }
        case SAFE_EXCEPT -> {
          console.out().println(title + " SAFE_EXCEPT " + lost + ": " + reply.getMessage());
          yield SAFE_EXCEPT;
        }
        case LAST_ENDPOINT -> {
          console.out().println(title + " LAST_ENDPOINT: " + reply.getMessage());
          yield LAST_ENDPOINT;
        }
        case NOT_SAFE, WAITING, VERDICT_UNSPECIFIED, UNRECOGNIZED -> {
          console.out().println(title + " NOT_SAFE: " + reply.getMessage());
          for (var node : reply.getBehindList()) {
            console.err().println("  " + node.getNode() + ": " + node.getMessage());
          }
          int more = reply.getNodes() - reply.getClear() - reply.getBehindCount();
          if (more > 0) {
            console.err().println("  and " + more + " more");
          }
          for (var server : reply.getDnsList()) {
            console.err().println("  dns " + server);
          }
          if (!lost.isEmpty()) {
            console.err().println("  lost: " + lost);
          }
          yield NOT_SAFE;
        }
      };
    }
  }
}
