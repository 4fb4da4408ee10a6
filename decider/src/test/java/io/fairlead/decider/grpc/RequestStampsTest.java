package io.fairlead.decider.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.fairlead.core.record.Envelope.RequestStamp;
import io.fairlead.v1.ReleaseReservationRequest;
import io.fairlead.v1.ReservationsGrpc;
import io.fairlead.v1.ReserveRequest;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class RequestStampsTest {
  private static final ReleaseReservationRequest RELEASE =
      ReleaseReservationRequest.newBuilder()
          .setRequestId("1")
          .setId("0a3f")
          .setToken("secret")
          .build();

  private static RequestStamp stamp(ReleaseReservationRequest message) {
    return RequestStamps.request(
            Caller.current(), ReservationsGrpc.getReleaseMethod(), message, "command")
        .stamp()
        .orElseThrow();
  }

  /** The stamp stands in the log, where whoever reads it could try tokens on it. */
  @Test
  void nothingOfATokenIsInTheStamp() {
    var other = RELEASE.toBuilder().setToken("other").build();
    assertThat(stamp(RELEASE)).isEqualTo(stamp(other));
    assertThat(stamp(RELEASE)).isEqualTo(stamp(RELEASE.toBuilder().clearToken().build()));
  }

  @Test
  void norIsAnythingOfItsHash() {
    var reserve = ReserveRequest.newBuilder().setRequestId("1");
    var stamps =
        Stream.of("a", "b")
            .map(hash -> reserve.setTokenHash(ByteString.copyFromUtf8(hash)).build())
            .map(message ->
                RequestStamps.request(
                        Caller.current(), ReservationsGrpc.getReserveMethod(), message, "command")
                    .stamp()
                    .orElseThrow());
    assertThat(stamps.distinct()).hasSize(1);
  }

  @Test
  void allElseThatIsAskedForIs() {
    assertThat(stamp(RELEASE).id()).isEqualTo("1");
    assertThat(stamp(RELEASE.toBuilder().setRequestId("2").build()).payloadHash())
        .isEqualTo(stamp(RELEASE).payloadHash());
    assertThat(stamp(RELEASE.toBuilder().setId("0a40").build()).payloadHash())
        .isNotEqualTo(stamp(RELEASE).payloadHash());
    assertThat(stamp(RELEASE.toBuilder().setForce(true).build()).payloadHash())
        .isNotEqualTo(stamp(RELEASE).payloadHash());
  }
}
