/** What every process needs: configuration, health, metrics, gRPC set-up, shutdown. */
@NullMarked
package io.fairlead.runtime;

import org.jspecify.annotations.NullMarked;
