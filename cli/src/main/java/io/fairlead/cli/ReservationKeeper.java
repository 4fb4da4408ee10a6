package io.fairlead.cli;

import io.fairlead.v1.ReleaseReservationRequest;
import io.fairlead.v1.RenewReservationRequest;
import io.fairlead.v1.Reservation;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;

/** Keeps a reservation alive from the foreground, and releases it at the end. */
final class ReservationKeeper {
  /** A process that is told to end is killed soon after. */
  private static final Duration RELEASE_LIMIT = Duration.ofSeconds(5);

  private final Session session;
  private final Console console;
  private final String id;
  private final Duration ttl;
  private final String token;
  private final ReservationTokens tokens;
  private final AtomicBoolean releasing = new AtomicBoolean();

  /** Exit code of the one release, for whoever comes to it second. */
  private final CompletableFuture<Integer> released = new CompletableFuture<>();

  ReservationKeeper(
      Session session,
      Console console,
      Reservation reservation,
      String token,
      ReservationTokens tokens) {
    this.session = session;
    this.console = console;
    this.id = reservation.getMetadata().getName();
    this.ttl = Duration.ofSeconds(reservation.getSpec().getTtl().getSeconds());
    this.token = token;
    this.tokens = tokens;
  }

  /**
   * Until the process or the thread is interrupted, which releases it: 0; or until it is lost: 1.
   *
   * @param begun says that it begins: whoever was told so may interrupt it
   */
  int keep(Runnable begun) {
    return Interrupts.endingWith(
        console,
        () -> {
          begun.run();
          return renewing();
        },
        this::release);
  }

  /**
   * While nobody answers it goes on: an etcd that was away lets what it held live for a whole ttl
   * from its return, and only etcd knows.
   */
  private int renewing() {
    boolean failing = false;
    while (true) {
      try {
        session.time().sleep(pause(failing ? ttl.dividedBy(12) : ttl.dividedBy(3)));
        var request = RenewReservationRequest.newBuilder().setId(id).setToken(token).build();
        var _ = session.within(ttl).reservations(stub -> stub.renew(request));
        failing = false;
      } catch (CallFailedException e) {
        if (Thread.currentThread().isInterrupted()) {
          return release();
        }
        if (releasing.get()) {
          return released.join(); // the channel is needed until then
        }
        if (!e.isTransient()) {
          console.err().println(e.words());
          if (e.isNotFound()) { // else it may live, and its token is needed
            tokens.forget(id);
          }
          return 1;
        }
        if (!failing) {
          console.err().println("warning: not renewed, trying on: " + e.words());
        }
        failing = true;
      } catch (InterruptedException | CliException _) { // the latter: between two attempts
        return release();
      }
    }
  }

  /** More or less by a fifth, so that many who began together spread. */
  private Duration pause(Duration about) {
    return Duration.ofMillis((long) (about.toMillis() * (0.8 + 0.4 * session.chance())));
  }

  /** Exit code. */
  int release() {
    if (!releasing.compareAndSet(false, true)) {
      return released.join();
    }
    int code = 1;
    try {
      code = releaseNow();
      return code;
    } finally {
      released.complete(code);
    }
  }

  private int releaseNow() {
    boolean interrupted = Thread.interrupted(); // what is left to do must not be
    try {
      var request =
          ReleaseReservationRequest.newBuilder()
              .setRequestId(session.requestId())
              .setId(id)
              .setToken(token)
              .build();
      var _ = session.within(RELEASE_LIMIT).reservations(stub -> stub.release(request));
      console.out().println(new ReservationResource().title(id) + " released");
      tokens.forget(id);
      return 0;
    } catch (CallFailedException e) {
      console.err().println(e.words());
      return 1;
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
