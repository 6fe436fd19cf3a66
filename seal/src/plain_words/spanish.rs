//! The words in Spanish.

use super::PlainTerms;
use crate::{
    delivery::Purpose,
    types::{Channels, DayRange, Level, OperatingDay},
};
use alloc::{format, string::String};
use chrono::Datelike;

pub(super) fn words(terms: &PlainTerms<'_>) -> String {
    let name = terms.name;
    let days = range(terms.data);
    let access = range(terms.access);
    format!(
        "La empresa que se llama a sí misma «{name}» pide leer su uso de electricidad.\n\
         Para qué: {purpose}.\n\
         Qué sabría: {energy}, {resolution}, {days}. {shows}\n\
         Qué no sabría por estas lecturas: {hidden}, ni cuánta electricidad usó usted en otros días, ni su \
         nombre, ni su dirección. Las lecturas mismas no llevan nombre ni dirección.\n\
         Hasta cuándo: puede obtener lecturas {access}, y después ya no. Lo que haya obtenido, lo conserva.\n\
         Cómo terminarlo: usted puede terminarlo cualquier día, sin dar razones, con la misma clave con la que firma \
         ahora. Desde entonces el registro se lo niega, y las lecturas que se publiquen más de algunos minutos después \
         le quedan cerradas. También puede permitir menos en cualquier momento.\n\
         Quién lo sabe de todos modos: su empresa de distribución eléctrica lee su medidor, así que siempre conoce \
         sus lecturas, con o sin este permiso. El registro público muestra que se permitió a alguien leer su \
         medidor, pero no a quién.",
        purpose = purpose(terms.purpose),
        energy = energy(terms.channels),
        resolution = resolution(terms.level),
        shows = shows(terms.level),
        hidden = hidden(terms.channels, terms.level),
    )
}

fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::EnergyAdvice => "consejos para usar menos electricidad o pagar menos por ella",
        Purpose::SolarSizing => "averiguar qué paneles solares convienen a su casa o negocio",
        Purpose::DemandResponse => "participar en la respuesta a la demanda (usar menos cuando la red anda escasa)",
        Purpose::RateComparison => "comparar planes de electricidad para su uso",
        Purpose::Storage => "elegir o manejar una batería",
        Purpose::ElectricVehicle => "cargar un vehículo eléctrico",
        Purpose::Research => "investigación",
        Purpose::Other => "otro fin; pregunte a la empresa antes de firmar",
    }
}

fn energy(channels: Channels) -> &'static str {
    match channels {
        Channels::Consumption => "cuánta electricidad tomó usted de la red",
        Channels::Generation => "cuánta electricidad excedente envió usted a la red",
        Channels::Both => "cuánta electricidad tomó usted de la red y cuánta excedente envió a ella",
    }
}

fn resolution(level: Level) -> &'static str {
    match level {
        Level::Day => "como un total por cada día",
        Level::Hour => "por cada hora de cada día",
        Level::Quarter => "por cada 15 minutos de cada día",
    }
}

fn shows(level: Level) -> &'static str {
    match level {
        Level::Day => "Los totales diarios pueden mostrar cuándo no hubo nadie en casa durante días.",
        Level::Hour => "Las cifras por hora pueden mostrar cuándo la gente se levanta, sale, vuelve a casa y duerme.",
        Level::Quarter => {
            "Las cifras de cada 15 minutos pueden mostrar cuándo la gente se levanta, sale, vuelve a casa y duerme, y \
             cuándo funcionan los aparatos grandes."
        }
    }
}

fn hidden(channels: Channels, level: Level) -> &'static str {
    match (channels, level) {
        (Channels::Both, Level::Day) => "cómo se repartió la electricidad entre las horas del día",
        (Channels::Both, Level::Hour) => "nada más fino que una hora",
        (Channels::Both, Level::Quarter) => "nada más fino que 15 minutos",
        (Channels::Consumption, Level::Day) => {
            "cómo se repartió la electricidad entre las horas del día, ni qué excedente envió usted a la red"
        }
        (Channels::Consumption, Level::Hour) => "nada más fino que una hora, ni qué excedente envió usted a la red",
        (Channels::Consumption, Level::Quarter) => {
            "nada más fino que 15 minutos, ni qué excedente envió usted a la red"
        }
        (Channels::Generation, Level::Day) => {
            "cómo se repartió el excedente entre las horas del día, ni qué tomó usted de la red"
        }
        (Channels::Generation, Level::Hour) => "nada más fino que una hora, ni qué tomó usted de la red",
        (Channels::Generation, Level::Quarter) => "nada más fino que 15 minutos, ni qué tomó usted de la red",
    }
}

fn range(range: DayRange) -> String {
    if range.first == range.last {
        return format!("el {}", date(range.first));
    }
    format!("del {} al {}", date(range.first), date(range.last))
}

fn date(day: OperatingDay) -> String {
    const MONTHS: [&str; 12] = [
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ];
    let date = day.date();
    let month = MONTHS.get(date.month0() as usize).copied().unwrap_or_default();
    let of_day = if date.day() == 1 { String::from("1.º") } else { format!("{}", date.day()) };
    format!("{of_day} de {month} de {}", date.year())
}
