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

  /** Without the log, for those who have agreed on one. */
  public static io.fairlead.v1.Position brief(Position position) {
    return io.fairlead.v1.Position.newBuilder().setOffsets(position.offsets()).build();
  }

  /** As {@link #model}, of that log where it names none. */
  public static Optional<Position> model(io.fairlead.v1.Position proto, LogIdentity agreed) {
    return proto.getLog().isEmpty() ? Position.parse(agreed, proto.getOffsets()) : model(proto);
  }

  /** Empty where it is malformed or names no log. */
  public static Optional<Position> model(io.fairlead.v1.Position proto) {
    return LogIdentity.parse(proto.getLog())
        .flatMap(log -> Position.parse(log, proto.getOffsets()));
  }
}
