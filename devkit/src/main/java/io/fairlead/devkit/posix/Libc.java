package io.fairlead.devkit.posix;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.file.Path;

/**
 * Calls of libc that the JDK lacks. Linux only; stateless, any thread. Needs native access to be
 * enabled.
 */
public final class Libc {
  private static final Linker LINKER = Linker.nativeLinker();
  private static final StructLayout CAPTURED = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      CAPTURED.varHandle(MemoryLayout.PathElement.groupElement("errno"));

  private static final FunctionDescriptor INT_OF_INT =
      FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT);
  private static final FunctionDescriptor INT_OF_INT_INT =
      FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT);

  private static final MethodHandle KILL = withErrno("kill", INT_OF_INT_INT);
  private static final MethodHandle SETNS = withErrno("setns", INT_OF_INT_INT);
  private static final MethodHandle CLOSE = withErrno("close", INT_OF_INT);
  private static final MethodHandle OPEN = open();
  private static final MethodHandle GETEUID =
      plain("geteuid", FunctionDescriptor.of(ValueLayout.JAVA_INT));
  private static final MethodHandle STRERROR =
      plain("strerror", FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_INT));

  private static final int O_RDONLY_CLOEXEC = 0x80000;
  private static final int CLONE_NEWNET = 0x40000000;

  private Libc() {}

  /** The effective user id; 0 is root. */
  public static int effectiveUserId() {
    try {
      return (int) GETEUID.invokeExact();
    } catch (Throwable e) {
      throw new AssertionError("geteuid cannot fail", e);
    }
  }

  /**
   * Sends a signal.
   *
   * @throws PosixException when there is no such process or it is not ours to signal
   */
  public static void kill(long pid, Signal signal) {
    if (pid <= 1 || pid > Integer.MAX_VALUE) {
      throw new IllegalArgumentException("pid " + pid + " is not one process of ours");
    }
    var call = "kill(" + pid + ", SIG" + signal + ")";
    try (var arena = Arena.ofConfined()) {
      var state = arena.allocate(CAPTURED);
      check(call, (int) KILL.invokeExact(state, (int) pid, signal.number()), state);
    } catch (Throwable e) {
      throw unexpected(call, e);
    }
  }

  /**
   * Moves the calling thread, for good, into the network namespace that the file stands for (a file
   * below /run/netns or /proc/PID/ns/net). Call it on a platform thread made for this only: a
   * virtual thread would take its carrier along.
   *
   * @throws PosixException when there is no such file, it is no network namespace, or this process
   *     may not (not root)
   */
  public static void enterNetworkNamespace(Path file) {
    if (Thread.currentThread().isVirtual()) {
      throw new IllegalStateException("setns on a virtual thread would move its carrier thread");
    }
    var opening = "open(" + file + ")";
    var entering = "setns(" + file + ")";
    try (var arena = Arena.ofConfined()) {
      var state = arena.allocate(CAPTURED);
      var name = arena.allocateFrom(file.toString());
      var fd = check(opening, (int) OPEN.invokeExact(state, name, O_RDONLY_CLOEXEC), state);
      try {
        check(entering, (int) SETNS.invokeExact(state, fd, CLONE_NEWNET), state);
      } finally {
        check("close", (int) CLOSE.invokeExact(state, fd), state);
      }
    } catch (Throwable e) {
      throw unexpected(entering, e);
    }
  }

  private static int check(String call, int result, MemorySegment state) {
    if (result >= 0) {
      return result;
    }
    var errno = (int) ERRNO.get(state, 0L);
    throw new PosixException(call, errno, errorText(errno));
  }

  private static RuntimeException unexpected(String call, Throwable e) {
    return switch (e) {
      case RuntimeException known -> known;
      case Error error -> throw error;
      default -> new IllegalStateException(call, e);
    };
  }

  @SuppressWarnings("restricted") // strerror's answer is a string of libc without a size
  private static String errorText(int errno) {
    try {
      var text = (MemorySegment) STRERROR.invokeExact(errno);
      return text.reinterpret(256).getString(0);
    } catch (Throwable e) {
      throw unexpected("strerror", e);
    }
  }

  @SuppressWarnings("restricted")
  private static MethodHandle withErrno(String name, FunctionDescriptor shape) {
    return LINKER.downcallHandle(
        LINKER.defaultLookup().findOrThrow(name), shape, Linker.Option.captureCallState("errno"));
  }

  @SuppressWarnings("restricted")
  private static MethodHandle open() {
    // open(2) is variadic: without saying so, the flags land in the wrong place on some
    // architectures
    return LINKER.downcallHandle(
        LINKER.defaultLookup().findOrThrow("open"),
        FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT),
        Linker.Option.captureCallState("errno"),
        Linker.Option.firstVariadicArg(2));
  }

  @SuppressWarnings("restricted")
  private static MethodHandle plain(String name, FunctionDescriptor shape) {
    return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), shape);
  }
}
