#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Writes the MaxMind DB files of the tests and of the recorded sessions into a folder: make_mmdb.pl FOLDER [NAME...]
# Addresses are those set aside for documentation; places and numbers are invented where no city is named.
use strict;
use warnings;
use MaxMind::DB::Writer::Tree;

my ($folder, @wanted) = @ARGV;
die "usage: make_mmdb.pl FOLDER [NAME...]\n" unless defined $folder;
mkdir $folder;

my %TYPES = (
    geoname_id => 'uint32', is_in_european_union => 'boolean', names => 'map', iso_code => 'utf8_string',
    code => 'utf8_string', en => 'utf8_string', de => 'utf8_string', city => 'map', country => 'map',
    continent => 'map', registered_country => 'map', location => 'map', traits => 'map', latitude => 'double',
    longitude => 'double', accuracy_radius => 'uint16', time_zone => 'utf8_string',
    autonomous_system_number => 'uint32', autonomous_system_organization => 'utf8_string', isp => 'utf8_string',
    organization => 'utf8_string', connection_type => 'utf8_string', is_anonymous => 'boolean',
    is_anonymous_vpn => 'boolean', is_hosting_provider => 'boolean', is_public_proxy => 'boolean',
    is_tor_exit_node => 'boolean', is_residential_proxy => 'boolean', is_satellite_provider => 'boolean',
    is_anonymous_proxy => 'boolean', anonymizer_confidence => 'uint16', user_type => 'utf8_string',
    mobile_country_code => 'utf8_string', mobile_network_code => 'utf8_string', network_last_seen => 'utf8_string',
    provider_name => 'utf8_string', other => 'utf8_string',
);
# The same fields, each of another type.
my %WRONG = (
    %TYPES, iso_code => 'uint32', code => [ 'array', 'utf8_string' ], en => 'uint16', latitude => 'utf8_string',
    longitude => 'utf8_string', accuracy_radius => 'boolean', autonomous_system_number => 'utf8_string',
    autonomous_system_organization => 'double', is_anonymous => 'uint16', is_anonymous_vpn => 'utf8_string',
    is_hosting_provider => 'map',
);

sub place {
    my ($city, $german, $country, $continent, $lat, $lon, $radius) = @_;
    return {
        city      => { geoname_id => 1, names => { en => $city, de => $german } },
        country   => { geoname_id => 2, iso_code => $country, names => { en => $country } },
        continent => { code => $continent, geoname_id => 3 },
        location  => { latitude => $lat, longitude => $lon, accuracy_radius => $radius, time_zone => 'Etc/UTC' },
    };
}

sub network {
    return { autonomous_system_number => $_[0], autonomous_system_organization => $_[1] };
}

my $BERLIN    = place('Berlin', 'Berlin', 'DE', 'EU', 52.52, 13.405, 20);
my $NEW_YORK  = place('New York', 'New York', 'US', 'NA', 40.7128, -74.006, 20);
my $SYDNEY    = place('Sydney', 'Sydney', 'AU', 'OC', -33.8688, 151.2093, 20);
my $ZURICH    = place('Zurich', "Z\x{fc}rich", 'CH', 'EU', 47.3769, 8.5417, 10);
my $PYONGYANG = place('Pyongyang', "Pj\x{f6}ngjang", 'KP', 'AS', 39.0392, 125.7625, 50);

my @CITIES = (
    '203.0.113.0/24'  => $BERLIN,
    '198.51.100.0/24' => $NEW_YORK,
    '192.0.2.0/24'    => $SYDNEY,
    '2001:db8:1::/48' => $ZURICH,
    '2001:db8:2::/48' => $PYONGYANG,
);
my @NETWORKS = (
    '203.0.113.0/24'  => network(64500, 'Spree Net'),
    '198.51.100.0/24' => network(64501, 'Hudson Net'),
    '192.0.2.0/24'    => network(64502, 'Harbour Net'),
    '2001:db8:1::/48' => network(64503, 'Limmat Net'),
    '2001:db8:2::/48' => network(64504, 'Taedong Net'),
);
my @ANONYMOUS = (
    '192.0.2.128/25'        => { is_anonymous => 1, is_anonymous_vpn => 1 },
    '198.51.100.128/25'     => { is_anonymous => 1, is_hosting_provider => 1 },
    '203.0.113.240/28'      => { is_anonymous => 1, is_tor_exit_node => 1 },
    '2001:db8:1:f000::/52'  => { is_anonymous => 1, is_anonymous_vpn => 1 },
);

my %FILES = (
    # Of the recorded sessions.
    'city'      => { type => 'GeoIP2-City',         rows => \@CITIES },
    'asn'       => { type => 'GeoLite2-ASN',        rows => \@NETWORKS },
    'anonymous' => { type => 'GeoIP2-Anonymous-IP', rows => \@ANONYMOUS },
    # Every record size and IP version.
    'city-24' => { type => 'GeoIP2-City', rows => \@CITIES, bits => 24 },
    'city-32' => { type => 'GeoIP2-City', rows => \@CITIES, bits => 32 },
    'city-v4' => { type => 'GeoIP2-City', rows => [ @CITIES[ 0 .. 5 ] ], version => 4 },
    'city-alias' => { type => 'GeoIP2-City', rows => \@CITIES, alias => 1 },
    # Another build of the same type, with other answers.
    'city-moved' => { type => 'DBIP-City-Lite', rows => [ '203.0.113.0/25' => $SYDNEY, '233.252.0.0/24' => $ZURICH ] },
    # Types that tell nothing: the fields do.
    'probe-city' => { type => 'Acme Places', rows => \@CITIES },
    'probe-network' => { type => 'Acme Networks', rows => \@NETWORKS },
    'probe-anonymous' => { type => 'Acme Bad Addresses', rows => \@ANONYMOUS },
    'probe-nothing' => { type => 'Acme Nothing', rows => [ '203.0.113.0/24' => { other => 'x' } ] },
    'country' => { type => 'GeoIP2-Country', rows => [
        '203.0.113.0/24' => { country => { iso_code => 'DE' }, continent => { code => 'EU' } },
        '198.51.100.0/24' => { registered_country => { iso_code => 'US' } },
        '192.0.2.0/24' => { country => { iso_code => 'au' }, continent => { code => 'OCE' } },
    ] },
    'enterprise' => { type => 'GeoIP2-Enterprise', rows => [
        '203.0.113.0/24' => { %$BERLIN, traits => {
            autonomous_system_number => 64500, organization => 'An Organisation', isp => 'A Provider',
            is_anonymous_proxy => 1, connection_type => 'Satellite' } },
        '198.51.100.0/24' => { %$NEW_YORK, traits => { isp => 'A Provider' } },
        '192.0.2.0/24' => { %$SYDNEY, traits => { is_satellite_provider => 1 } },
        '233.252.0.0/28' => { traits => { user_type => 'consumer_privacy_network' } },
        '233.252.0.16/28' => { traits => { user_type => 'cellular' } },
        '233.252.0.32/28' => { traits => { user_type => 'hosting', connection_type => 'Corporate' } },
        '233.252.0.48/28' => { traits => { user_type => 'residential', is_anonymous_vpn => 1 } },
    ] },
    'plus' => { type => 'GeoIP-Anonymous-Plus', rows => [
        '192.0.2.0/28' => { is_anonymous => 1, is_anonymous_vpn => 1, anonymizer_confidence => 30,
            network_last_seen => '2025-04-14', provider_name => 'foo' } ] },
    'isp' => { type => 'GeoIP2-ISP', rows => [
        '203.0.113.0/24' => { isp => 'A Provider' },
        '198.51.100.0/24' => { %{ network(64501, 'Hudson Net') }, isp => 'A Provider' },
        '192.0.2.0/24' => { isp => 'A Carrier', mobile_country_code => '310', mobile_network_code => '004' },
    ] },
    'residential' => { type => 'GeoIP-Residential-Proxy', rows => [
        '203.0.113.0/28' => { anonymizer_confidence => 80 } ] },
    'connection' => { type => 'GeoIP2-Connection-Type', rows => [
        '203.0.113.0/24' => { connection_type => 'Satellite' }, '192.0.2.0/24' => { connection_type => 'Cellular' } ] },
    # Sound files with fields that are missing or cannot be so.
    'missing' => { type => 'GeoIP2-City', rows => [
        '203.0.113.0/26' => { country => { iso_code => 'DE' } },
        '203.0.113.64/26' => { location => { latitude => 52.5, longitude => 13.4 } },
        '203.0.113.128/26' => { location => { latitude => 52.5, accuracy_radius => 5 } },
        '203.0.113.192/26' => { other => 'x' },
        '198.51.100.0/26' => { location => { latitude => 90.5, longitude => 0, accuracy_radius => 5 } },
        '198.51.100.64/26' => { location => { latitude => 0, longitude => -180.5, accuracy_radius => 5 } },
        '198.51.100.128/26' => { location => { latitude => -90, longitude => 180, accuracy_radius => 60000 } },
        '198.51.100.192/26' => { city => { names => { de => 'Berlin' } }, country => { iso_code => 'DEU' } },
        '192.0.2.0/24' => { city => { names => { en => 'x' x 256 } }, country => { iso_code => '' } },
    ] },
    'wrong' => { type => 'GeoIP2-City', types => \%WRONG, rows => [
        '203.0.113.0/24' => {
            city => { names => { en => 7 } }, country => { iso_code => 17477 }, continent => { code => [ 'EU' ] },
            location => { latitude => '52.5', longitude => '13.4', accuracy_radius => 1 } } ] },
    'wrong-network' => { type => 'GeoLite2-ASN', types => \%WRONG, rows => [
        '203.0.113.0/24' => { autonomous_system_number => '64500', autonomous_system_organization => 1.5 } ] },
    'wrong-anonymous' => { type => 'GeoIP2-Anonymous-IP', types => \%WRONG, rows => [
        '203.0.113.0/24' => { is_anonymous => 1, is_anonymous_vpn => 'yes', is_hosting_provider => {},
            is_tor_exit_node => 0, is_public_proxy => 1 } ] },
    # Of a bank that knows where its own networks are.
    'bank' => { type => 'GeoIP2-Country', rows => [
        '203.0.113.0/24' => { country => { iso_code => 'DE' } },
        '198.51.100.0/24' => { country => { iso_code => 'US' } },
        '2001:db8:2::/48' => { country => { iso_code => 'KP' } },
        '10.20.30.0/24' => { country => { iso_code => 'CH' } },
        '10.40.0.0/16' => { country => { iso_code => 'CH' } } ] },
    # Small enough to be cut and flipped at every byte.
    'tiny' => { type => 'GeoIP2-Country', version => 4, bits => 24, rows => [
        '203.0.113.0/24' => { country => { iso_code => 'DE' } },
        '198.51.100.0/24' => { country => { iso_code => 'US' } },
        '192.0.2.0/25' => { country => { iso_code => 'DE' } } ] },
);

for my $name (@wanted ? @wanted : sort keys %FILES) {
    my $file = $FILES{$name} or die "no file `$name`\n";
    my $types = $file->{types} // \%TYPES;
    my $tree = MaxMind::DB::Writer::Tree->new(
        ip_version               => $file->{version} // 6,
        record_size              => $file->{bits} // 28,
        database_type            => $file->{type},
        languages                => ['en'],
        description              => { en => 'made by a test' },
        map_key_type_callback    => sub { $types->{ $_[0] } },
        remove_reserved_networks => 0,
        alias_ipv6_to_ipv4       => $file->{alias} // 0,
    );
    my @rows = @{ $file->{rows} };
    while (my ($range, $record) = splice @rows, 0, 2) {
        $tree->insert_network($range, $record);
    }
    # Several tests may be making the same files: each appears whole or not at all.
    open my $out, '>:raw', "$folder/.$name.$$" or die "$folder: $!\n";
    $tree->write_tree($out);
    close $out or die "$folder: $!\n";
    rename "$folder/.$name.$$", "$folder/$name.mmdb" or die "$folder: $!\n";
}
