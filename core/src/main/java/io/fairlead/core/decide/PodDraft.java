package io.fairlead.core.decide;

import io.fairlead.core.model.Kind;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Pod;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * A Pod as a user or a source sent it: nothing is checked, no default is applied. Texts that are
 * absent are "".
 *
 * @param namespace "" = {@code default}
 * @param resourceVersion "" = whatever is there
 * @param uid "" = whatever is there; a source gives another uid to say that it is another Pod of
 *     the same name
 * @param source who reports it; "" = {@code api}
 * @param restartPolicy "" = Always
 * @param terminationGraceSeconds empty = 30
 * @param podIp {@code status.podIP}
 * @param podIps {@code status.podIPs[].ip}
 * @param readinessGates {@code spec.readinessGates[].conditionType}
 * @param enableServiceLinks empty = true
 */
public record PodDraft(
    String namespace,
    String name,
    Map<String, String> labels,
    Map<String, String> annotations,
    String resourceVersion,
    String uid,
    String source,
    String nodeName,
    boolean hostNetwork,
    String hostname,
    String subdomain,
    List<ContainerDraft> containers,
    String restartPolicy,
    OptionalLong terminationGraceSeconds,
    String phase,
    String podIp,
    List<String> podIps,
    String reason,
    List<ContainerDraft> initContainers,
    List<String> readinessGates,
    Optional<Boolean> enableServiceLinks) {
  /** Source of Pods that come through the API and name none. */
  public static final String DEFAULT_SOURCE = "api";

  public PodDraft {
    labels = Map.copyOf(labels);
    annotations = Map.copyOf(annotations);
    containers = List.copyOf(containers);
    podIps = List.copyOf(podIps);
    initContainers = List.copyOf(initContainers);
    readinessGates = List.copyOf(readinessGates);
  }

  /**
   * @param workingDir "" = /
   * @param restartPolicy "" = that of the Pod; of init containers only
   */
  public record ContainerDraft(
      String name,
      String image,
      List<String> command,
      List<String> args,
      Map<String, String> env,
      List<ContainerPortDraft> ports,
      Optional<ProbeDraft> readinessProbe,
      String workingDir,
      Optional<ProbeDraft> startupProbe,
      String restartPolicy) {
    public ContainerDraft {
      command = List.copyOf(command);
      args = List.copyOf(args);
      env = Map.copyOf(env);
      ports = List.copyOf(ports);
    }
  }

  /**
   * @param protocol "" = TCP
   * @param containerPort 0 = absent
   */
  public record ContainerPortDraft(String name, String protocol, int containerPort) {}

  /** Numbers that are absent get Kubernetes' defaults: 0, 10, 1, 1, 3. */
  public record ProbeDraft(
      Optional<HttpGetDraft> httpGet,
      Optional<TcpSocketDraft> tcpSocket,
      OptionalInt initialDelaySeconds,
      OptionalInt periodSeconds,
      OptionalInt timeoutSeconds,
      OptionalInt successThreshold,
      OptionalInt failureThreshold,
      Optional<ExecDraft> exec,
      Optional<GrpcDraft> grpc,
      OptionalLong terminationGraceSeconds) {
    /** Of httpGet or tcpSocket. */
    public ProbeDraft(
        Optional<HttpGetDraft> httpGet,
        Optional<TcpSocketDraft> tcpSocket,
        OptionalInt initialDelaySeconds,
        OptionalInt periodSeconds,
        OptionalInt timeoutSeconds,
        OptionalInt successThreshold,
        OptionalInt failureThreshold) {
      this(
          httpGet,
          tcpSocket,
          initialDelaySeconds,
          periodSeconds,
          timeoutSeconds,
          successThreshold,
          failureThreshold,
          Optional.empty(),
          Optional.empty(),
          OptionalLong.empty());
    }
  }

  /**
   * @param scheme "" = HTTP
   * @param host "" = the Pod's address
   * @param port a number or the name of a container port
   * @param path "" = /
   */
  public record HttpGetDraft(
      String scheme, String host, String port, String path, List<Pod.HttpHeader> headers) {
    public HttpGetDraft {
      headers = List.copyOf(headers);
    }
  }

  /**
   * @param host "" = the Pod's address
   */
  public record TcpSocketDraft(String host, String port) {}

  /**
   * @param command with the program first
   */
  public record ExecDraft(List<String> command) {
    public ExecDraft {
      command = List.copyOf(command);
    }
  }

  /**
   * @param port 0 = absent
   * @param service "" = the server as a whole
   */
  public record GrpcDraft(int port, String service) {}

  /** The name it asks for, with the default namespace filled in; its parts are not checked. */
  public ObjectName objectName() {
    return new ObjectName(namespace.isEmpty() ? ObjectName.DEFAULT_NAMESPACE : namespace, name);
  }

  /** The key of that name. */
  public ObjectKey key() {
    return ObjectKey.of(Kind.POD, objectName());
  }
}
