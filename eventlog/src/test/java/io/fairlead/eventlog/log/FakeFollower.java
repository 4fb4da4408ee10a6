package io.fairlead.eventlog.log;

import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.core.record.LogEntry;
import io.fairlead.eventlog.log.FollowListener.Connection;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** A reader of a {@link FakeKafka} on a thread of its own. */
final class FakeFollower implements Follower {
  /** Small, so that what is appended together is often read in parts. */
  private static final int MOST_AT_ONCE = 50;

  private sealed interface Next {}

  private record Deliver(List<LogEntry> entries, Position applied) implements Next {}

  private record Tell(Connection state) implements Next {}

  private record End() implements Next {}

  private final FakeKafka kafka;
  private final FakeEventLog client;
  private final List<LogPartition> partitions;
  private final FollowListener listener;
  private final Consumer<FakeFollower> onClosed;
  private Position position;
  private Optional<Connection> told = Optional.empty();
  private boolean closed; // guarded by kafka.lock
  private Thread thread = Thread.currentThread();

  FakeFollower(
      FakeKafka kafka,
      FakeEventLog client,
      List<LogPartition> partitions,
      Position from,
      FollowListener listener,
      Consumer<FakeFollower> onClosed) {
    this.kafka = kafka;
    this.client = client;
    this.partitions = partitions;
    this.position = from;
    this.listener = listener;
    this.onClosed = onClosed;
  }

  void start(String name) {
    thread = Thread.ofPlatform().daemon().name(name).start(this::run);
  }

  private void run() {
    try {
      while (true) {
        switch (next()) {
          case Deliver(var entries, var applied) -> {
            for (var entry : entries) {
              Layout.verify(
                  client.partitioning(), entry.partition(), entry.offset(), entry.event());
            }
            position = applied;
            listener.onEntries(entries, applied);
          }
          case Tell(var state) -> {
            told = Optional.of(state);
            listener.onConnection(state);
          }
          case End _ -> {
            return;
          }
        }
      }
    } catch (InterruptedException _) {
      // nobody interrupts but a test that ends
    } catch (Throwable t) {
      listener.onFault(t);
    }
  }

  private Next next() throws InterruptedException {
    kafka.lock.lockInterruptibly();
    try {
      while (true) {
        if (closed) {
          return new End();
        }
        var state = kafka.reaches(client) ? Connection.CONNECTED : Connection.LOST;
        if (state == Connection.CONNECTED) {
          client.verifyIdentity();
        }
        if (!told.equals(Optional.of(state))) {
          return new Tell(state);
        }
        if (state == Connection.CONNECTED) {
          var read = read();
          if (!read.applied().equals(position)) {
            return read;
          }
        }
        kafka.changed.await();
      }
    } finally {
      kafka.lock.unlock();
    }
  }

  private Deliver read() {
    var entries = new ArrayList<LogEntry>();
    var applied = position;
    for (var partition : partitions) {
      if (client.isHeldBack(partition)) {
        continue;
      }
      var log = kafka.partition(partition);
      long from = position.of(partition);
      if (!log.holds(from)) {
        throw new MissingOffsetException(
            "offset %d of partition %s is not in the log (%d to %d)"
                .formatted(from, partition, log.start(), log.end()));
      }
      var read = log.read(from, MOST_AT_ONCE);
      entries.addAll(read.entries());
      applied = applied.with(partition, read.next());
    }
    return new Deliver(List.copyOf(entries), applied);
  }

  @Override
  public void close() {
    kafka.lock.lock();
    try {
      closed = true;
      kafka.changed.signalAll();
    } finally {
      kafka.lock.unlock();
    }
    if (!Thread.currentThread().equals(thread)) {
      boolean interrupted = false;
      while (true) {
        try {
          thread.join();
          break;
        } catch (InterruptedException _) {
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
    onClosed.accept(this);
  }
}
