package io.fairlead.eventlog.log;

import io.fairlead.core.run.Time;

class FakeAckTopicTest extends AckTopicContract {
  private final FakeKafka kafka = new FakeKafka(Time.system());

  @Override
  EventLog connect() {
    return kafka.connect();
  }

  @Override
  void lose() {
    kafka.loseAcks();
  }

  @Override
  void stop() {
    kafka.stop();
  }

  @Override
  void restart() {
    kafka.start();
  }
}
