package io.fairlead.devkit.fabric;

/**
 * The network could not be built or changed; the message names what was tried and what the system
 * said.
 */
public final class FabricException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public FabricException(String message) {
    super(message);
  }

  public FabricException(String message, Throwable cause) {
    super(message, cause);
  }
}
