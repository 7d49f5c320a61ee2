// SPDX-License-Identifier: Apache-2.0
// HOT
#include "risk/fade.h"

// 2^(-d/60) of days and 2^(-h/1440) of hours, each rounded once.
static const double DAYS[60] = {
    0x1.0000000000000p+0, 0x1.fa1e827a1b38cp-1, 0x1.f44e4fb6c55d7p-1, 0x1.ee8f34dd8042fp-1,
    0x1.e8e0ffab4f93dp-1, 0x1.e3437e7101344p-1, 0x1.ddb680117ab12p-1, 0x1.d839d4000bae4p-1,
    0x1.d2cd4a3ec542dp-1, 0x1.cd70b35cd636cp-1, 0x1.c823e074ec129p-1, 0x1.c2e6a32b98f2dp-1,
    0x1.bdb8cdadbe120p-1, 0x1.b89a32aefafabp-1, 0x1.b38aa5682153fp-1, 0x1.ae89f995ad3adp-1,
    0x1.a9980376421bcp-1, 0x1.a4b497c92bfddp-1, 0x1.9fdf8bcce533dp-1, 0x1.9b18b53da0656p-1,
    0x1.965fea53d6e3dp-1, 0x1.91b501c2db3dfp-1, 0x1.8d17d2b770068p-1, 0x1.888834d662c09p-1,
    0x1.8406003b2ae5cp-1, 0x1.7f910d768cfb0p-1, 0x1.7b29358d41a64p-1, 0x1.76ce51f6a0bb8p-1,
    0x1.72803c9b50335p-1, 0x1.6e3ecfd3f7011p-1, 0x1.6a09e667f3bcdp-1, 0x1.65e15b8c1714dp-1,
    0x1.61c50ae161fd5p-1, 0x1.5db4d073c7920p-1, 0x1.59b088b8f29eep-1, 0x1.55b8108f0ec5ep-1,
    0x1.51cb453b9536cp-1, 0x1.4dea046a1cee2p-1, 0x1.4a142c2b2e71ep-1, 0x1.46499af31b007p-1,
    0x1.428a2f98d728bp-1, 0x1.3ed5c954d8c10p-1, 0x1.3b2c47bff8329p-1, 0x1.378d8ad255102p-1,
    0x1.33f972e23dedep-1, 0x1.306fe0a31b715p-1, 0x1.2cf0b5245e8f3p-1, 0x1.297bd1d071ee8p-1,
    0x1.2611186bae675p-1, 0x1.22b06b135293fp-1, 0x1.1f59ac3c7d6c0p-1, 0x1.1c0cbeb32bdf9p-1,
    0x1.18c98599396a9p-1, 0x1.158fe46563973p-1, 0x1.125fbee250664p-1, 0x1.0f38f92d97963p-1,
    0x1.0c1b77b6cebedp-1, 0x1.09071f3e983adp-1, 0x1.05fbd4d5b4d5ap-1, 0x1.02f97ddc18368p-1};
static const double HOURS[24] = {
    0x1.0000000000000p+0, 0x1.ffc0ec62fed35p-1, 0x1.ff81e08b520a5p-1, 0x1.ff42dc780490dp-1,
    0x1.ff03e0282170fp-1, 0x1.fec4eb9ab3d30p-1, 0x1.fe85fecec6fd7p-1, 0x1.fe4719c36654ep-1,
    0x1.fe083c779d5bfp-1, 0x1.fdc966ea77b39p-1, 0x1.fd8a991b011acp-1, 0x1.fd4bd308456e7p-1,
    0x1.fd0d14b150a9cp-1, 0x1.fcce5e152ee60p-1, 0x1.fc8faf32ec5a5p-1, 0x1.fc510809955bfp-1,
    0x1.fc126898365e4p-1, 0x1.fbd3d0dddbf27p-1, 0x1.fb9540d992c7ep-1, 0x1.fb56b88a67abdp-1,
    0x1.fb1837ef67896p-1, 0x1.fad9bf079f69dp-1, 0x1.fa9b4dd21c743p-1, 0x1.fa5ce44debed8p-1};
static const uint32_t HALF_LIFE_H = 60 * 24;

double fade(double value, uint32_t from_h, uint32_t to_h)
{
    uint32_t elapsed = to_h > from_h ? to_h - from_h : 0;
    uint32_t halves = elapsed / HALF_LIFE_H, rest = elapsed % HALF_LIFE_H;
    if (halves > 62) {
        return 0;
    }
    return value * DAYS[rest / 24] * HOURS[rest % 24] / (double)(UINT64_C(1) << halves);
}
