package io.fairlead.decider.watch;

import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Position;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;

/**
 * What one caller watches: which objects, and how they are told.
 *
 * @param <S> an object as it is told, with equality; cheap to keep, made of parts of the image
 * @param <M> the messages of the stream
 */
public interface Subject<S, M> {
  WatchedKind kind();

  /** Keys of all there may be, those that the caller does not want too; in the order of telling. */
  Collection<ObjectName> all(ClusterImage image);

  /** What is under a key and wanted by this caller, by name; empty where there is nothing. */
  Map<String, S> at(ClusterImage image, ObjectName key);

  /** Tells an object from a later one of its name. */
  Object identity(S object);

  /**
   * As a message of the stream.
   *
   * @param resume where a watch can go on that was told this of an object; empty = nowhere
   */
  M message(Told<S> told, Optional<Position> resume);
}
