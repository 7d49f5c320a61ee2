#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Writes city.mmdb, asn.mmdb and anonymous.mmdb into a folder, from the rows of places.py on standard input.
use strict;
use warnings;
use MaxMind::DB::Writer::Tree;

my ($folder) = @ARGV;
die "usage: mmdb.pl FOLDER <ROWS\n" unless defined $folder;

my %TYPES = (
    names => 'map', iso_code => 'utf8_string', code => 'utf8_string', en => 'utf8_string', city => 'map', country => 'map',
    continent => 'map', location => 'map', latitude => 'double', longitude => 'double', accuracy_radius => 'uint16',
    autonomous_system_number => 'uint32', autonomous_system_organization => 'utf8_string', is_anonymous => 'boolean',
    is_anonymous_vpn => 'boolean', is_hosting_provider => 'boolean', is_tor_exit_node => 'boolean',
    is_satellite_provider => 'boolean',
);

sub tree {
    my ($type) = @_;
    return MaxMind::DB::Writer::Tree->new(
        ip_version => 6, record_size => 28, database_type => $type, languages => ['en'],
        description => { en => 'made by a bench' }, map_key_type_callback => sub { $TYPES{ $_[0] } },
        remove_reserved_networks => 0, alias_ipv6_to_ipv4 => 0,
    );
}

my %trees = (city => tree('GeoIP2-City'), asn => tree('GeoLite2-ASN'), anonymous => tree('GeoIP2-Anonymous-IP'));
while (my $row = <STDIN>) {
    chomp $row;
    my ($range, $asn, $org, $country, $continent, $city, $lat, $lon, $radius, $marks) = split /\t/, $row;
    $trees{city}->insert_network($range, {
        city => { names => { en => $city } }, country => { iso_code => $country }, continent => { code => $continent },
        location => { latitude => $lat, longitude => $lon, accuracy_radius => $radius } });
    $trees{asn}->insert_network($range, {
        autonomous_system_number => $asn, autonomous_system_organization => $org });
    $trees{anonymous}->insert_network($range, { map { $_ => 1 } split /,/, $marks }) if $marks ne '-';
}
for my $name (sort keys %trees) {
    open my $out, '>:raw', "$folder/$name.mmdb" or die "$folder: $!\n";
    $trees{$name}->write_tree($out);
    close $out or die "$folder: $!\n";
}
