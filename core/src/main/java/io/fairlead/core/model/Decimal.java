package io.fairlead.core.model;

/** Numbers in text forms, which have one form each: no sign, no zeros in front. */
final class Decimal {
  private Decimal() {}

  /**
   * The number that stands from {@code begin} to before {@code end}; -1 where that is none or has
   * more than {@code maxDigits} digits.
   *
   * @param maxDigits at most 18, which a long holds
   */
  static long parse(String text, int begin, int end, int maxDigits) {
    int digits = end - begin;
    if (digits < 1 || digits > maxDigits || (digits > 1 && text.charAt(begin) == '0')) {
      return -1;
    }
    long number = 0;
    for (int i = begin; i < end; i++) {
      int digit = text.charAt(i) - '0';
      if (digit < 0 || digit > 9) {
        return -1;
      }
      number = number * 10 + digit;
    }
    return number;
  }
}
