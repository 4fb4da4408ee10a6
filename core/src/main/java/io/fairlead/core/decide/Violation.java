package io.fairlead.core.decide;

/**
 * One fault of what a user sent.
 *
 * @param field path of the field as in a manifest, e.g. {@code spec.ports[0].port}
 * @param message what is wrong and what is allowed; names the value where that helps
 */
public record Violation(String field, Reason reason, String message) {
  /** What kind of fault it is; the text forms are those of Kubernetes' causes, shortened. */
  public enum Reason {
    REQUIRED("Required"),
    INVALID("Invalid"),
    DUPLICATE("Duplicate"),
    NOT_SUPPORTED("NotSupported"),
    FORBIDDEN("Forbidden"),
    IMMUTABLE("Immutable"),
    TOO_LONG("TooLong");

    private final String text;

    Reason(String text) {
      this.text = text;
    }

    public String text() {
      return text;
    }
  }

  @Override
  public String toString() {
    return field + ": " + reason.text() + ": " + message;
  }
}
