package io.fairlead.cli;

import com.google.protobuf.ByteString;
import io.fairlead.runtime.GrpcServer;
import io.fairlead.runtime.HostPort;
import io.fairlead.runtime.Metrics;
import io.fairlead.v1.ExecReply;
import io.fairlead.v1.ExecRequest;
import io.fairlead.v1.PodRuntimeGrpc;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/** Runs one program, which prints without end. */
final class LocalPodRuntime extends PodRuntimeGrpc.PodRuntimeImplBase implements AutoCloseable {
  private final AtomicBoolean cancelled = new AtomicBoolean();
  private final GrpcServer server =
      GrpcServer.start(
          GrpcServer.Settings.listening(HostPort.of("127.0.0.1:0")),
          List.of(this),
          List.of(),
          new Metrics());

  HostPort address() {
    return new HostPort("127.0.0.1", server.port());
  }

  /** Whether the caller has ended the program. */
  boolean wasCancelled() {
    return cancelled.get();
  }

  @Override
  public StreamObserver<ExecRequest> exec(StreamObserver<ExecReply> replies) {
    var stream = (ServerCallStreamObserver<ExecReply>) replies;
    var line =
        ExecReply.newBuilder().setStdout(ByteString.copyFromUtf8("y\n".repeat(1000))).build();
    stream.setOnCancelHandler(() -> cancelled.set(true));
    stream.setOnReadyHandler(() -> {
      while (stream.isReady() && !stream.isCancelled()) {
        stream.onNext(line);
      }
    });
    return new StreamObserver<>() {
      @Override
      public void onNext(ExecRequest request) {}

      @Override
      public void onError(Throwable cause) {}

      @Override
      public void onCompleted() {}
    };
  }

  @Override
  public void close() {
    server.close();
  }
}
