package io.fairlead.devkit.fabric;

/**
 * A Pod's network namespace.
 *
 * @param name unique on its node
 * @param node name of the node
 * @param namespace as {@code ip netns} lists it
 * @param address its only one, from the node's Pod network
 */
public record FabricPod(String name, String node, String namespace, String address) {}
