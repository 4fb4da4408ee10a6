package io.fairlead.agent.ruleset;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * A rule. What nft prints for a rule is not what it accepts (1.0.6 leaves parts of concatenations
 * out), so rules are never compared by their text: each carries a fingerprint of its text as its
 * comment, and that is read back.
 */
public record Rule(String text) {
  /** Eight hexadecimal digits that change when the text does. */
  public String fingerprint() {
    return HexFormat.of().formatHex(sha256(text), 0, 4);
  }

  static byte[] sha256(String text) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
