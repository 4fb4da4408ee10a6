package io.fairlead.cli;

import io.fairlead.api.Reason;
import io.fairlead.cli.ObjectsReader.Then;
import io.fairlead.v1.Position;
import io.grpc.ManagedChannel;
import io.grpc.stub.AbstractBlockingStub;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Function;

/**
 * A watch that outlives its streams: where one breaks, the next goes on from the position that was
 * told last, at whichever replica answers; from the beginning only where no replica knows what
 * happened since then.
 */
final class Watching<T> {
  private static final Set<Reason> BEGIN_AGAIN =
      EnumSet.of(Reason.POSITION_TOO_OLD, Reason.FOREIGN_LOG);

  private final ObjectsReader<T> reader;
  private Position resume = Position.getDefaultInstance();

  private Watching(ObjectsReader<T> reader) {
    this.reader = reader;
  }

  /**
   * Until the reader has enough or this thread is interrupted.
   *
   * @param rpc opens a stream from a position; the default one = from the beginning
   */
  static <T, S extends AbstractBlockingStub<S>, M> void run(
      Session session,
      Session.Part part,
      Function<ManagedChannel, S> stub,
      BiFunction<S, Position, Iterator<M>> rpc,
      Function<M, Told<T>> told,
      ObjectsReader<T> reader) {
    var watching = new Watching<>(reader);
    while (true) {
      try {
        session.read(
            part,
            stub,
            s -> rpc.apply(s, watching.resume),
            watching::opened,
            message -> watching.tell(told.apply(message)));
        return;
      } catch (CallFailedException e) {
        if (!watching.resumes() || e.reason().filter(BEGIN_AGAIN::contains).isEmpty()) {
          throw e;
        }
        watching.resume = Position.getDefaultInstance();
      }
    }
  }

  private boolean resumes() {
    return !resume.equals(Position.getDefaultInstance());
  }

  private void opened() {
    if (resumes()) {
      reader.resumed();
    } else {
      reader.opened();
    }
  }

  private Then tell(Told<T> told) {
    return switch (told) {
      case Told.There(var object, var position) -> reached(reader.put(object), position);
      case Told.Gone(var object, var position) -> reached(reader.gone(object), position);
      case Told.Synced(var position) -> reached(reader.synced(), position);
      case Told.Bookmark(var position) -> reached(Then.MORE, position);
      case Told.Unknown() -> Then.MORE;
    };
  }

  /** What is told before all is known has no position: a stream that breaks then begins again. */
  private Then reached(Then then, Position position) {
    if (!position.equals(Position.getDefaultInstance())) {
      resume = position;
    }
    return then;
  }
}
