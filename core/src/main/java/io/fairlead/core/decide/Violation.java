package io.fairlead.core.decide;

/**
 * One fault of what a user sent.
 *
 * @param field path of the field as in a manifest, e.g. {@code spec.ports[0].port}
 * @param message what is wrong and what is allowed; begins with the value where there is one
 */
public record Violation(String field, Reason reason, String message) {
  /** What kind of fault it is; the text forms are those of Kubernetes' causes, shortened. */
  public enum Reason {
    REQUIRED("Required", "Required value"),
    INVALID("Invalid", "Invalid value"),
    DUPLICATE("Duplicate", "Duplicate value"),
    NOT_SUPPORTED("NotSupported", "Unsupported value"),
    FORBIDDEN("Forbidden", "Forbidden"),
    IMMUTABLE("Immutable", "Invalid value: field is immutable"),
    TOO_LONG("TooLong", "Too long");

    private final String text;
    private final String title;

    Reason(String text, String title) {
      this.text = text;
      this.title = title;
    }

    public String text() {
      return text;
    }

    /** What people read before the message, in the words of Kubernetes' field errors. */
    public String title() {
      return title;
    }
  }

  /** {@code spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive}. */
  @Override
  public String toString() {
    return field + ": " + reason.title() + ": " + message;
  }
}
