/** What runs where: who has acknowledged what, and who waits for it. */
@NullMarked
package io.fairlead.endpoints.acks;

import org.jspecify.annotations.NullMarked;
