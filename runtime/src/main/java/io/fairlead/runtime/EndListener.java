package io.fairlead.runtime;

import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.ServerCall;

/** Tells when a call is over; exactly one of the two ends comes. */
abstract class EndListener<Q> extends SimpleForwardingServerCallListener<Q> {
  enum End {
    /** Its status was sent. */
    COMPLETE,
    /** The client went away or the deadline passed. */
    CANCELLED
  }

  EndListener(ServerCall.Listener<Q> delegate) {
    super(delegate);
  }

  abstract void ended(End end);

  @Override
  public void onComplete() {
    ended(End.COMPLETE);
    super.onComplete();
  }

  @Override
  public void onCancel() {
    ended(End.CANCELLED);
    super.onCancel();
  }
}
