package io.fairlead.agent.probe;

import io.fairlead.agent.probe.ProbeResult.Failed;
import io.fairlead.agent.probe.ProbeResult.NotMade;
import io.fairlead.agent.probe.ProbeResult.Passed;
import io.fairlead.core.decide.PodWarnings;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PortRef;
import io.fairlead.core.run.Time;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;

/** Makes probes. Each blocks for at most its time-out. */
final class Probes {
  private final Time time;
  private final HostLookup lookup;
  private final Commands commands;

  Probes(Time time, HostLookup lookup, Commands commands) {
    this.time = time;
    this.lookup = lookup;
    this.commands = commands;
  }

  ProbeResult make(Pod pod, Pod.Container container, Pod.Probe probe) throws InterruptedException {
    var deadline = Deadline.in(time, probe.timeout());
    return switch (probe.action()) {
      case Pod.HttpGet get ->
          target(pod, container, get.host(), get.port())
              .map(target -> http(get, target, deadline))
              .orElseGet(() -> nowhere(container, get.port()));
      case Pod.TcpSocket(var host, var port) ->
          target(pod, container, host, port)
              .map(target -> tcp(target, deadline))
              .orElseGet(() -> nowhere(container, port));
      case Pod.Exec(var command) -> commands.run(pod, container, command, probe.timeout());
      case Pod.Grpc(int port, var service) ->
          target(pod, container, Optional.empty(), new PortRef.Number(port))
              .map(target -> grpc(target, service, deadline))
              .orElseGet(() -> new NotMade("the Pod has no address"));
    };
  }

  /** Where a probe goes. */
  record Target(String host, int port) {}

  private static Optional<Target> target(
      Pod pod, Pod.Container container, Optional<String> host, PortRef port) {
    var number =
        switch (port) {
          case PortRef.Number(var n) -> OptionalInt.of(n);
          case PortRef.Name(var name) ->
              container.ports().stream()
                  .filter(p -> p.name().equals(name))
                  .mapToInt(Pod.ContainerPort::containerPort)
                  .findFirst();
        };
    var where = host.or(() -> pod.status().ips().stream().findFirst().map(Object::toString));
    return where.isPresent() && number.isPresent()
        ? Optional.of(new Target(where.get(), number.getAsInt()))
        : Optional.empty();
  }

  /** A name that no port has will not have one later: that is no reason to wait. */
  private static ProbeResult nowhere(Pod.Container container, PortRef port) {
    return PodWarnings.noPort(container, port)
        .<ProbeResult>map(Failed::new)
        .orElseGet(() -> new NotMade("the Pod has no address"));
  }

  private ProbeResult tcp(Target target, Deadline deadline) {
    try (var _ = connect(target, deadline)) {
      return new Passed("connected");
    } catch (IOException e) {
      return failed(e);
    }
  }

  private ProbeResult http(Pod.HttpGet get, Target target, Deadline deadline) {
    try {
      int code = HttpProbe.code(get, target, deadline, this::connect);
      return code >= 200 && code < 400 ? new Passed("http " + code) : new Failed("http " + code);
    } catch (IOException e) {
      return failed(e);
    }
  }

  private ProbeResult grpc(Target target, String service, Deadline deadline) {
    try {
      var address = new InetSocketAddress(lookup.address(target.host(), deadline), target.port());
      return GrpcProbe.check(address, service, Duration.ofMillis(deadline.leftMillis()));
    } catch (IOException e) {
      return failed(e);
    }
  }

  private Socket connect(Target target, Deadline deadline) throws IOException {
    var address = new InetSocketAddress(lookup.address(target.host(), deadline), target.port());
    var socket = new Socket();
    try {
      socket.connect(address, deadline.leftMillis());
      socket.setTcpNoDelay(true);
      return socket;
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  /** Short and always the same for the same cause: it goes into the log. */
  private static Failed failed(IOException e) {
    return new Failed(
        switch (e) {
          case SocketTimeoutException _ -> "timeout";
          case ConnectException _ -> "connection refused";
          case NoRouteToHostException _ -> "no route to host";
          case UnknownHostException u -> "unknown host " + u.getMessage();
          default -> e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        });
  }
}
