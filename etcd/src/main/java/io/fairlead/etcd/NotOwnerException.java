package io.fairlead.etcd;

import io.fairlead.core.model.LogPartition;

/** The ownership key is not this take-over's any more; the guarded transaction did nothing. */
public final class NotOwnerException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public NotOwnerException(LogPartition partition) {
    super("not the owner of partition " + partition + " any more");
  }
}
