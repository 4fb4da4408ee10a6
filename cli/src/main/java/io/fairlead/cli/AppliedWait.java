package io.fairlead.cli;

import io.fairlead.api.PositionCodec;
import io.fairlead.cli.ObjectsReader.Then;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Position;
import io.fairlead.v1.NodesGrpc;
import io.fairlead.v1.ServiceName;
import io.fairlead.v1.WaitAppliedReply;
import io.fairlead.v1.WaitAppliedRequest;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;

/** Waits until the kernels of all live nodes have what one command changed. */
final class AppliedWait {
  /** Says nothing of progress before: mostly it is over by then. */
  private static final Duration PATIENCE = Duration.ofSeconds(1);

  /** For the last answer to arrive. */
  private static final Duration LAST = Duration.ofSeconds(5);

  private final SortedSet<ObjectName> services = new TreeSet<>();
  private Optional<Position> position = Optional.empty();
  private boolean all;

  /** Something was changed: whoever has that position has the change. */
  void changed(io.fairlead.v1.Position at) {
    var model = PositionCodec.model(at);
    if (model.isEmpty() || position.filter(p -> !p.log().equals(model.get().log())).isPresent()) {
      all = true; // from a server that says nothing that we understand: all that is accepted by now
      return;
    }
    position = Optional.of(position.map(p -> later(p, model.get())).orElse(model.get()));
  }

  /** Only what kernels refuse of such Services is of interest, where all changes are theirs. */
  void changedService(String namespace, String name) {
    services.add(new ObjectName(namespace, name));
  }

  private static Position later(Position one, Position other) {
    var merged = one;
    for (var component : other.next().entrySet()) {
      if (component.getValue() > merged.of(component.getKey())) {
        merged = merged.with(component.getKey(), component.getValue());
      }
    }
    return merged;
  }

  /**
   * Waits.
   *
   * @return the exit code: 0 where every live node has it; what is lacking was said
   */
  int await(Session session, Duration limit, Console console) {
    if (position.isEmpty() && !all) {
      return 0; // nothing was changed
    }
    var request = WaitAppliedRequest.newBuilder();
    if (!all) {
      position.map(PositionCodec::proto).ifPresent(request::setPosition);
    }
    for (var service : services) {
      request.addServices(
          ServiceName.newBuilder().setNamespace(service.namespace()).setName(service.name()));
    }
    var reader = new Reader(console, session, limit);
    session.read(
        Session.Part.ENDPOINTS,
        NodesGrpc::newBlockingStub,
        stub -> {
          var left = reader.left();
          return stub.withDeadlineAfter(left.plus(LAST).toNanos(), TimeUnit.NANOSECONDS)
              .waitApplied(request.setTimeout(proto(left)).build());
        },
        () -> {},
        reader::read);
    return reader.code();
  }

  static com.google.protobuf.Duration proto(Duration duration) {
    return com.google.protobuf.Duration.newBuilder()
        .setSeconds(duration.getSeconds())
        .setNanos(duration.getNano())
        .build();
  }

  /** Says what the server tells. */
  private static final class Reader {
    private final Console console;
    private final Session session;
    private final Duration limit;
    private final long startNanos;
    private String said = "";
    private OptionalLong firstNanos = OptionalLong.empty();
    private Optional<WaitAppliedReply> last = Optional.empty();

    Reader(Console console, Session session, Duration limit) {
      this.console = console;
      this.session = session;
      this.limit = limit;
      this.startNanos = session.time().nanoTime();
    }

    private Duration passed() {
      return Duration.ofNanos(session.time().nanoTime() - startNanos);
    }

    Duration left() {
      var left = limit.minus(passed());
      return left.isNegative() ? Duration.ZERO : left;
    }

    Then read(WaitAppliedReply reply) {
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
            "%d of %d nodes have it, waiting for %s"
                .formatted(
                    reply.getThere(),
                    reply.getNodes(),
                    reply.getBehindCount() == 0
                        ? reply.getTrouble()
                        : behind(reply, node -> node.getNode() + ": " + node.getMessage(), "; "));
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
      for (var lost : reply.getLostList()) {
        console
            .err()
            .println("warning: node " + lost + " is lost: what its kernel has, nobody knows");
      }
      if (reply.getApplied()) {
        console.out().println(applied(reply.getNodes()));
        return 0;
      }
      console
          .err()
          .println(
              "error: accepted, but after %s %d of %d nodes have it%s"
                  .formatted(
                      text(limit),
                      reply.getThere(),
                      reply.getNodes(),
                      reply.getBehindCount() == 0 ? ": " + reply.getTrouble() : ""));
      if (reply.getBehindCount() > 0) {
        console
            .err()
            .println(behind(reply, node -> "  " + node.getNode() + ": " + node.getMessage(), "\n"));
      }
      return 1;
    }

    private static String applied(int nodes) {
      return switch (nodes) {
        case 0 -> "applied: there is no node yet";
        case 1 -> "applied on 1 node";
        default -> "applied on all " + nodes + " nodes";
      };
    }

    private static String behind(
        WaitAppliedReply reply,
        java.util.function.Function<io.fairlead.v1.NodeBehind, String> words,
        String between) {
      var text = String.join(between, reply.getBehindList().stream().map(words).toList());
      int more = reply.getNodes() - reply.getThere() - reply.getBehindCount();
      return more > 0 ? text + between + "and " + more + " more" : text;
    }
  }

  /** {@code 30s}, {@code 500ms}. */
  static String text(Duration duration) {
    return duration.toMillis() % 1000 == 0
        ? duration.toSeconds() + "s"
        : duration.toMillis() + "ms";
  }
}
