package io.fairlead.endpoints.acks;

import io.fairlead.core.model.Acknowledgement;
import io.fairlead.core.run.FaultPoint;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.eventlog.acks.AckTopic;
import java.util.Collection;

/** The point after acknowledgements were written. Thread-safe, without own state. */
public final class AckPoints implements AckTopic {
  private final AckTopic topic;
  private final FaultPoints points;

  public AckPoints(AckTopic topic, FaultPoints points) {
    this.topic = topic;
    this.points = points;
  }

  @Override
  public void publish(Collection<Acknowledgement> words) {
    topic.publish(words);
    points.reached(FaultPoint.ACKS_PUBLISHED);
  }

  @Override
  public AutoCloseable read(Listener listener) {
    return topic.read(listener);
  }
}
