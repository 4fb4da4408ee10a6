package io.fairlead.api;

import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.Position;
import java.util.Optional;

/** Positions of the log. */
public final class PositionCodec {
  private PositionCodec() {}

  public static io.fairlead.v1.Position proto(Position position) {
    return io.fairlead.v1.Position.newBuilder()
        .setLog(position.log().toString())
        .setOffsets(position.offsets())
        .build();
  }

  /** Empty where it is malformed or names no log. */
  public static Optional<Position> model(io.fairlead.v1.Position proto) {
    return LogIdentity.parse(proto.getLog())
        .flatMap(log -> Position.parse(log, proto.getOffsets()));
  }
}
