package io.fairlead.agent.stream;

import io.fairlead.api.ErrorReport;
import io.fairlead.api.Reason;
import io.fairlead.runtime.HostPort;
import io.fairlead.v1.AgentMessage;
import io.fairlead.v1.NodeAgentsGrpc;
import io.fairlead.v1.ReplicaMessage;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * One call of {@code NodeAgents.Sync} to one replica, over a connection of its own. Written to by
 * the loop only; gRPC's callbacks only hand over. What comes in waits in the loop's mailbox, at
 * most {@link #WINDOW} messages.
 */
final class Link implements AutoCloseable {
  private static final int WINDOW = 16;
  private static final Duration GOODBYE = Duration.ofSeconds(1);

  /** What gRPC says, in order. */
  sealed interface Event {
    Link link();
  }

  record Received(Link link, ReplicaMessage message) implements Event {}

  /** More can be written. */
  record Writable(Link link) implements Event {}

  /** Last: the call is over. */
  record Ended(Link link, Status status, Optional<Reason> reason) implements Event {}

  private final HostPort address;
  private final ManagedChannel channel;
  private final ClientCallStreamObserver<AgentMessage> out;
  private final AtomicBoolean ended = new AtomicBoolean();

  /** Begins the call; whether anybody answers is told by events, from threads of gRPC. */
  Link(HostPort address, Consumer<Event> events) {
    this(new Approach(address), events);
  }

  /** Likewise, over a connection that is there, which is this call's from then on. */
  Link(Approach approach, Consumer<Event> events) {
    this.address = approach.address();
    this.channel = approach.channel();
    this.out =
        (ClientCallStreamObserver<AgentMessage>)
            NodeAgentsGrpc.newStub(channel)
                .sync(
                    new ClientResponseObserver<AgentMessage, ReplicaMessage>() {
                      @Override
                      public void beforeStart(ClientCallStreamObserver<AgentMessage> call) {
                        call.disableAutoRequestWithInitial(WINDOW);
                        call.setOnReadyHandler(() -> events.accept(new Writable(Link.this)));
                      }

                      @Override
                      public void onNext(ReplicaMessage message) {
                        events.accept(new Received(Link.this, message));
                      }

                      @Override
                      public void onError(Throwable t) {
                        end(Status.fromThrowable(t), ErrorReport.of(t).reason());
                      }

                      @Override
                      public void onCompleted() {
                        end(
                            Status.UNAVAILABLE.withDescription("the replica ended the stream"),
                            Optional.empty());
                      }

                      private void end(Status status, Optional<Reason> reason) {
                        ended.set(true);
                        events.accept(new Ended(Link.this, status, reason));
                      }
                    });
  }

  HostPort address() {
    return address;
  }

  /** A message was dealt with: another may come. */
  void handled() {
    if (!ended.get()) {
      out.request(1);
    }
  }

  boolean isWritable() {
    return !ended.get() && out.isReady();
  }

  void send(AgentMessage.Builder message) {
    out.onNext(message.build());
  }

  /** Ends the call and the connection, telling the replica why. */
  void cancel(String why) {
    ended.set(true);
    out.cancel(why, null);
    channel.shutdownNow();
  }

  /**
   * Leaves with a word: the replica ends the call, and does not take the agent for dead. Waits for
   * that, a moment at most.
   */
  @Override
  public void close() {
    if (!ended.getAndSet(true)) {
      try {
        out.onCompleted();
        channel.shutdown();
        var _ = channel.awaitTermination(GOODBYE.toNanos(), TimeUnit.NANOSECONDS);
      } catch (IllegalStateException _) {
        // it ended at that moment
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
      }
    }
    cancel("the agent ends");
  }
}
