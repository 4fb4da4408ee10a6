package io.fairlead.endpoints.stream;

/** What an agent is sent first on a stream, and why it is everything where it is. */
public enum FirstFrame {
  /** It has all there is. */
  NOTHING("nothing", ""),
  DIFFERENCE("difference", ""),
  /** It has no position in this log, or none that it goes on from. */
  NO_POSITION("everything", "no_position"),
  BEYOND_JOURNAL("everything", "beyond_journal"),
  WITHIN_STEP("everything", "within_step");

  private final String sent;
  private final String why;

  FirstFrame(String sent, String why) {
    this.sent = sent;
    this.why = why;
  }

  /** {@code nothing}, {@code difference} or {@code everything}. */
  public String sent() {
    return sent;
  }

  /** Why it is everything; else empty. */
  public String why() {
    return why;
  }

  static FirstFrame everything(Content.Why why) {
    return switch (why) {
      case NO_POSITION -> NO_POSITION;
      case BEYOND_JOURNAL -> BEYOND_JOURNAL;
      case WITHIN_STEP -> WITHIN_STEP;
    };
  }
}
