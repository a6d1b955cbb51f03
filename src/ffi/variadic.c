/* SPDX-License-Identifier: MIT OR Apache-2.0 */
int sasl2_variadic_placeholder;
