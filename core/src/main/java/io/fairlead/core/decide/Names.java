package io.fairlead.core.decide;

import io.fairlead.core.model.DnsLabel;
import io.fairlead.core.model.LabelSyntax;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * The syntax of names, labels and annotations, as the Kubernetes documentation and RFC 1123 define
 * it.
 */
final class Names {
  static final int LABEL_LENGTH = DnsLabel.LENGTH;
  static final int SUBDOMAIN_LENGTH = 253;

  /** All annotations of an object together, keys and values, in bytes. */
  static final int ANNOTATIONS_LENGTH = 256 * 1024;

  private static final Pattern SUBDOMAIN =
      Pattern.compile("[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*");
  private static final Pattern PORT_NAME = Pattern.compile("[a-z0-9]+(-[a-z0-9]+)*");

  private static final String SUBDOMAIN_RULE =
      "must consist of lower case letters, digits, '-' and '.', and each part begin and end with a letter or digit";

  private Names() {}

  /** RFC 1123 label, at most 63 characters. */
  static void checkLabel(Violations violations, String field, String value) {
    var fault = DnsLabel.fault(value);
    if (value.length() > LABEL_LENGTH) {
      violations.tooLong(field, fault);
    } else if (value.indexOf('.') >= 0) {
      violations.invalid(field, value, "must not contain dots; it " + DnsLabel.RULE);
    } else if (!fault.isEmpty()) {
      violations.invalid(field, value, fault);
    }
  }

  static boolean isLabel(String value) {
    return DnsLabel.fault(value).isEmpty();
  }

  /** RFC 1123 subdomain, at most 253 characters. */
  static void checkSubdomain(Violations violations, String field, String value) {
    if (value.length() > SUBDOMAIN_LENGTH) {
      violations.tooLong(
          field, "must have at most " + SUBDOMAIN_LENGTH + " characters, has " + value.length());
    } else if (!SUBDOMAIN.matcher(value).matches()) {
      violations.invalid(field, value, SUBDOMAIN_RULE);
    }
  }

  /**
   * A name that others look up: a subdomain whose parts also fit into a DNS message (RFC 1035
   * 2.3.4). Stricter than Kubernetes, which takes parts of any length here and leaves it to its DNS
   * server to fail.
   */
  static void checkDomainName(Violations violations, String field, String value) {
    checkSubdomain(violations, field, value);
    for (var part : value.split("\\.", -1)) {
      if (part.length() > LABEL_LENGTH) {
        violations.tooLong(
            field,
            "each part between dots must have at most "
                + LABEL_LENGTH
                + " characters, "
                + Violations.quoted(part)
                + " has "
                + part.length());
      }
    }
  }

  /**
   * Labels, or a selector, which has their syntax. Faults are named at {@code field} itself, as a
   * key may contain dots.
   */
  static void checkLabels(Violations violations, String field, Map<String, String> labels) {
    new TreeMap<>(labels)
        .forEach((key, value) -> {
          var keyFault = LabelSyntax.keyFault(key);
          if (!keyFault.isEmpty()) {
            violations.invalid(field, key, keyFault);
          }
          var valueFault = LabelSyntax.valueFault(value);
          if (!valueFault.isEmpty()) {
            violations.invalid(
                field, value, "the value of " + Violations.quoted(key) + " " + valueFault);
          }
        });
  }

  /** A name as keys of labels are: with an optional prefix and a slash. */
  static void checkKey(Violations violations, String field, String value) {
    var fault = LabelSyntax.keyFault(value);
    if (!fault.isEmpty()) {
      violations.invalid(field, value, fault);
    }
  }

  static void checkAnnotations(
      Violations violations, String field, Map<String, String> annotations) {
    long size = 0;
    for (var entry : new TreeMap<>(annotations).entrySet()) {
      // keys are compared in lower case there: upper case prefixes are tolerated
      var fault = LabelSyntax.keyFault(entry.getKey().toLowerCase(java.util.Locale.ROOT));
      if (!fault.isEmpty()) {
        violations.invalid(field, entry.getKey(), fault);
      }
      size += utf8(entry.getKey()) + utf8(entry.getValue());
    }
    if (size > ANNOTATIONS_LENGTH) {
      violations.tooLong(
          field,
          "keys and values together must have at most "
              + ANNOTATIONS_LENGTH
              + " bytes, have "
              + size);
    }
  }

  private static long utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }

  /**
   * The name of a container port (IANA service name, RFC 6335): each broken rule is a violation of
   * its own.
   */
  static void checkPortName(Violations violations, String field, String value) {
    if (value.isEmpty() || value.length() > 15) {
      violations.invalid(field, value, "must have 1 to 15 characters");
    }
    if (!value.isEmpty() && !PORT_NAME.matcher(value).matches()) {
      violations.invalid(
          field,
          value,
          "must consist of lower case letters, digits and '-', with no '-' at the ends or next to another");
    }
    if (value.chars().noneMatch(c -> c >= 'a' && c <= 'z')) {
      violations.invalid(field, value, "must contain at least one lower case letter");
    }
  }
}
