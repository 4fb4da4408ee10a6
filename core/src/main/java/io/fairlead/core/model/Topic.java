package io.fairlead.core.model;

/** The topics of the log. */
public enum Topic {
  SERVICES("fairlead.services", "s"),
  PODS("fairlead.pods", "p");

  private final String kafkaName;
  private final String letter;

  Topic(String kafkaName, String letter) {
    this.kafkaName = kafkaName;
    this.letter = letter;
  }

  /** Name of the Kafka topic. */
  public String kafkaName() {
    return kafkaName;
  }

  /** One letter for it in the text form of positions. */
  public String letter() {
    return letter;
  }
}
