package io.fairlead.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class CallLimitTest {
  @Test
  void letsInSoManyAndWhoLeavesMakesRoomOnce() {
    var limit = new CallLimit("readers", 2);
    var first = limit.enter();
    var _ = limit.enter();
    var refused = catchThrowable(limit::enter);
    assertThat(ErrorReport.of(refused).reason()).isEqualTo(Optional.of(Reason.LIMIT_REACHED));
    assertThat(refused).hasMessageContaining("readers, 2");
    first.run();
    first.run();
    var _ = limit.enter();
    assertThat(catchThrowable(limit::enter)).isNotNull();
  }
}
