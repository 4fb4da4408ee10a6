package io.fairlead.core.image;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.image.DigestMarks.Comparison;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class DigestMarksTest {
  /** Digests by letter. */
  private static DigestMarks marks(long first, String letters, long exactFrom) {
    var digests = new ArrayList<Digest>();
    letters.chars().forEach(letter -> digests.add(new Digest(0, letter)));
    return DigestMarks.of(first, digests, exactFrom);
  }

  private static Comparison compare(DigestMarks... marks) {
    var readers = new TreeMap<String, DigestMarks>();
    for (int i = 0; i < marks.length; i++) {
      readers.put("r" + i, marks[i]);
    }
    return DigestMarks.compare(readers);
  }

  @Test
  void namesTheFirstThatDiffersAndWhoHasWhich() {
    var comparison = compare(marks(1, "abcde", 1), marks(1, "abxye", 1), marks(3, "cdefg", 1));
    assertThat(comparison.numbers()).isEqualTo(5);
    assertThat(comparison.from()).isEqualTo(1);
    assertThat(comparison.to()).isEqualTo(5);
    var differs = comparison.differs().orElseThrow();
    assertThat(differs.number()).isEqualTo(3);
    assertThat(differs.offset()).isEqualTo(3_000);
    assertThat(differs.holders().values())
        .containsExactlyInAnyOrder(List.of("r0", "r2"), List.of("r1"));
  }

  @Test
  void passesOverWhatAReaderDoesNotKnowExactly() {
    assertThat(compare(marks(1, "abc", 3), marks(1, "xyc", 1)))
        .isEqualTo(new Comparison(1, 3, 3, Optional.empty()));
    assertThat(compare(marks(1, "abc", 1), marks(4, "xyz", 1)))
        .isEqualTo(new Comparison(0, 0, 0, Optional.empty()));
    assertThat(compare(marks(1, "abc", 1), DigestMarks.NONE).numbers()).isZero();
    assertThat(compare().numbers()).isZero();
  }

  @Test
  void theRestIsWhatComesBehindANumber() {
    var all = marks(5, "abc", 6);
    assertThat(all.after(-1)).isEqualTo(all);
    assertThat(all.after(5)).isEqualTo(marks(6, "bc", 6));
    assertThat(all.after(7)).isEqualTo(marks(8, "", 6));
    assertThat(all.after(99)).isEqualTo(marks(8, "", 6));
    assertThat(all.exact(5)).isEmpty();
    assertThat(all.exact(6)).isPresent();
    assertThat(all.exact(8)).isEmpty();
  }
}
