package io.fairlead.agent.nft;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/**
 * Calls into C: the system's library for sockets and namespaces. Every failure carries errno's
 * number.
 */
@SuppressWarnings(
    "restricted") // foreign calls are what this is for; the process is started with native access
// enabled
final class Foreign {
  private static final Linker LINKER = Linker.nativeLinker();
  private static final Linker.Option ERRNO = Linker.Option.captureCallState("errno");
  private static final MemoryLayout STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO_OF =
      STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

  static final int CLONE_NEWNET = 0x4000_0000;
  static final int ENOBUFS = 105;
  private static final int O_CLOEXEC = 0x8_0000;

  private final MethodHandle open =
      system("open", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
  private final MethodHandle close = system("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
  private final MethodHandle setns =
      system("setns", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));
  private final MethodHandle socket =
      system("socket", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT));
  private final MethodHandle send =
      system("send", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));
  private final MethodHandle recv =
      system("recv", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));
  private final MethodHandle setsockopt =
      system(
          "setsockopt",
          FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT));

  /** A call failed; {@code errno} as in the system's errno.h. */
  static final class CallFailed extends Exception {
    private static final long serialVersionUID = 1;
    private final int errno;

    CallFailed(String call, int errno) {
      super(call + ": errno " + errno);
      this.errno = errno;
    }

    int errno() {
      return errno;
    }
  }

  /** Opens a file for reading; the descriptor. */
  int open(String path) throws CallFailed {
    try (var arena = Arena.ofConfined()) {
      var state = arena.allocate(STATE);
      return check(
          "open " + path,
          (int) open.invokeExact(state, arena.allocateFrom(path), O_CLOEXEC),
          state);
    } catch (CallFailed e) {
      throw e;
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  void close(int fd) {
    try (var arena = Arena.ofConfined()) {
      int _ = (int) close.invokeExact(arena.allocate(STATE), fd);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** Moves the calling thread, and only it, into the network namespace of an open file. */
  void enterNetworkNamespace(int fd) throws CallFailed {
    try (var arena = Arena.ofConfined()) {
      var state = arena.allocate(STATE);
      check("setns", (int) setns.invokeExact(state, fd, CLONE_NEWNET), state);
    } catch (CallFailed e) {
      throw e;
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** A netlink socket of that protocol whose answers are waited for one second at most. */
  int netlink(int protocol) throws CallFailed {
    try (var arena = Arena.ofConfined()) {
      var state = arena.allocate(STATE);
      int fd =
          check(
              "socket",
              (int) socket.invokeExact(state, 16, 3 | O_CLOEXEC, protocol),
              state); // AF_NETLINK, SOCK_RAW
      var second = arena.allocate(JAVA_LONG, 2);
      second.setAtIndex(JAVA_LONG, 0, 1);
      check(
          "setsockopt",
          (int) setsockopt.invokeExact(state, fd, 1, 20, second, 16),
          state); // SOL_SOCKET, SO_RCVTIMEO
      return fd;
    } catch (CallFailed e) {
      throw e;
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /**
   * Lets a socket hold so many bytes on their way to the kernel, whatever the system's limit; needs
   * CAP_NET_ADMIN.
   */
  void sendBuffer(int fd, int bytes) throws CallFailed {
    option(fd, 1, 32, bytes); // SOL_SOCKET, SO_SNDBUFFORCE
  }

  /** Likewise on their way from the kernel; it takes twice as many, for what it keeps beside. */
  void receiveBuffer(int fd, int bytes) throws CallFailed {
    option(fd, 1, 33, bytes); // SOL_SOCKET, SO_RCVBUFFORCE
  }

  /** Has a netlink socket told of refusals without a copy of what is refused. */
  void withoutEcho(int fd) throws CallFailed {
    option(fd, 270, 10, 1); // SOL_NETLINK, NETLINK_CAP_ACK
  }

  private void option(int fd, int level, int name, int number) throws CallFailed {
    try (var arena = Arena.ofConfined()) {
      var state = arena.allocate(STATE);
      var value = arena.allocate(JAVA_INT);
      value.set(JAVA_INT, 0, number);
      check("setsockopt", (int) setsockopt.invokeExact(state, fd, level, name, value, 4), state);
    } catch (CallFailed e) {
      throw e;
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  void send(int fd, MemorySegment message) throws CallFailed {
    try (var arena = Arena.ofConfined()) {
      var state = arena.allocate(STATE);
      check(
          "send", (int) (long) send.invokeExact(state, fd, message, message.byteSize(), 0), state);
    } catch (CallFailed e) {
      throw e;
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** Bytes received into the buffer. */
  int receive(int fd, MemorySegment buffer) throws CallFailed {
    return receive(fd, buffer, 0);
  }

  /** The same, of what is there: fails where there is nothing. */
  int receiveNow(int fd, MemorySegment buffer) throws CallFailed {
    return receive(fd, buffer, 0x40); // MSG_DONTWAIT
  }

  private int receive(int fd, MemorySegment buffer, int flags) throws CallFailed {
    try (var arena = Arena.ofConfined()) {
      var state = arena.allocate(STATE);
      return check(
          "recv",
          (int) (long) recv.invokeExact(state, fd, buffer, buffer.byteSize(), flags),
          state);
    } catch (CallFailed e) {
      throw e;
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  private static int check(String call, int result, MemorySegment state) throws CallFailed {
    if (result < 0) {
      throw new CallFailed(call, (int) ERRNO_OF.get(state, 0L));
    }
    return result;
  }

  private static MethodHandle system(String name, FunctionDescriptor descriptor) {
    return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), descriptor, ERRNO);
  }

  /** A function of a library. */
  static MethodHandle function(SymbolLookup library, String name, FunctionDescriptor descriptor) {
    return LINKER.downcallHandle(library.findOrThrow(name), descriptor);
  }

  /** A defect of ours; what ends a virtual machine is thrown as it is. */
  static IllegalStateException unexpected(Throwable e) {
    if (e instanceof Error error) {
      throw error;
    }
    return new IllegalStateException("a foreign call with the wrong types", e);
  }
}
