package io.fairlead.core.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class DigestTest {
  private static final BigInteger MODULUS = BigInteger.ONE.shiftLeft(128);

  private static BigInteger number(Digest digest) {
    return new BigInteger(digest.toString(), 16);
  }

  @Test
  void addsAndSubtractsModuloTwoToThe128() {
    long seed = System.nanoTime();
    System.out.println("DigestTest seed " + seed);
    var random = new Random(seed);
    for (int i = 0; i < 1000; i++) {
      var a = new Digest(random.nextLong(), random.nextLong() | (i % 2 == 0 ? -1L << 8 : 0));
      var b = new Digest(random.nextLong(), random.nextLong());
      assertThat(number(a.plus(b))).isEqualTo(number(a).add(number(b)).mod(MODULUS));
      assertThat(number(a.minus(b))).isEqualTo(number(a).subtract(number(b)).mod(MODULUS));
      assertThat(a.plus(b).minus(b)).isEqualTo(a);
      assertThat(Digest.parse(a.toString())).contains(a);
    }
  }

  @Test
  void refusesTextThatIsNoDigest() {
    assertThat(Digest.parse("00")).isEmpty();
    assertThat(Digest.parse("g".repeat(32))).isEmpty();
  }
}
