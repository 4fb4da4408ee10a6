package io.fairlead.eventlog.log;

import io.fairlead.core.model.Acknowledgement;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import io.fairlead.eventlog.acks.AckTopic;
import io.fairlead.eventlog.codec.AckCodec;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The acknowledgements of a {@link FakeKafka}, for one of its clients. */
public final class FakeAckTopic implements AckTopic, AutoCloseable {
  private final FakeKafka kafka;
  private final FakeEventLog client;
  private final Set<Reader> readers = ConcurrentHashMap.newKeySet();

  FakeAckTopic(FakeKafka kafka, FakeEventLog client) {
    this.kafka = kafka;
    this.client = client;
  }

  @Override
  public void publish(Collection<Acknowledgement> words) {
    kafka.lock.lock();
    try {
      if (!kafka.reachesAcks(client)) {
        throw new GatewayException(Outcome.KNOWN_FAILED, "cannot write to " + KAFKA_NAME);
      }
      words.forEach(word -> kafka.acks.add(AckCodec.value(word)));
      kafka.changed.signalAll();
    } finally {
      kafka.lock.unlock();
    }
  }

  @Override
  public AutoCloseable read(Listener listener) {
    var reader = new Reader(listener);
    readers.add(reader);
    reader.thread.start();
    return reader;
  }

  private final class Reader implements AutoCloseable {
    private final Listener listener;
    private final Thread thread = Thread.ofVirtual().name("fake-acks").unstarted(this::run);
    private int lost;
    private int next;

    Reader(Listener listener) {
      this.listener = listener;
    }

    private void run() {
      try {
        while (true) {
          for (var value : take()) {
            AckCodec.decode(value).ifPresent(listener::onWord);
          }
        }
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt(); // closed
      }
    }

    private List<byte[]> take() throws InterruptedException {
      kafka.lock.lock();
      try {
        while (true) {
          if (lost != kafka.acksLost) {
            lost = kafka.acksLost;
            next = 0;
          }
          if (kafka.reachesAcks(client) && next < kafka.acks.size()) {
            var taken = new ArrayList<>(kafka.acks.subList(next, kafka.acks.size()));
            next = kafka.acks.size();
            return taken;
          }
          kafka.changed.await();
        }
      } finally {
        kafka.lock.unlock();
      }
    }

    @Override
    public void close() {
      thread.interrupt();
      try {
        thread.join();
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
      }
      readers.remove(this);
    }
  }

  @Override
  public void close() {
    List.copyOf(readers).forEach(Reader::close);
  }
}
